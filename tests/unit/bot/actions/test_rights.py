"""Every verb, from every surface, in every role: allowed exactly where role and surface suffice."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from bot.actions import registry
from bot.actions.action import Access as Needs
from bot.actions.action import Bench, Context, Scope
from bot.actions.runner import Actions
from bot.actions.target import project_of
from bot.chat.access import Access, Identity
from bot.chat.request import Request, Surface
from orchestrator.domain.person import OWNER, Actor, ActorKind
from orchestrator.domain.policy import KeptRule
from orchestrator.domain.rights import People, Person, Role
from orchestrator.errors import BadInput, NotAllowed
from orchestrator.testing import examples
from tests.unit.bot.house import House, data

ROLES: tuple[Role | None, ...] = (None, *Role)


def person(name: str, **roles: Role) -> Person:
    return Person(
        handle=name, roles={"*" if where == "all" else where: role for where, role in roles.items()}
    )


def actor(name: str, surface: Surface = Surface.SLACK) -> Actor:
    return Actor(kind=ActorKind.PERSON, name=name, via=surface.value)


def asked(verb: str, who: Actor, surface: Surface = Surface.SLACK, **arguments: Any) -> Request:
    return Request(id="r", who=who, surface=surface, verb=verb, at=0.0, arguments=arguments)


def over(house: House, *persons: Person) -> Actions:
    return Actions(house.core, access=Access(lambda: People(persons)))


ROOT = person("root", all=Role.ADMIN)


def refusal(actions: Actions, request: Request) -> NotAllowed | None:
    try:
        actions.allowed(request)
    except NotAllowed as error:
        return error
    return None


ALL = registry.all_actions()


async def test_the_whole_matrix(house: House) -> None:
    """Walks the registry: a verb is in it from its first day."""
    for action, role, surface in itertools.product(ALL, ROLES, Surface):
        where = "all" if action.scope is Scope.FLEET else "demo"
        ada = person("ada", **({where: role} if role else {}))
        actions = over(house, ada, ROOT)
        least = Role.VIEWER if action.requesters else action.role
        suffices = action.scope is Scope.ANYBODY or (role is not None and role.covers(least))
        here = surface in action.surfaces and action.access is not Needs.MACHINE
        refused = refusal(actions, asked(action.verb, actor("ada", surface), surface))
        assert (refused is None) is (suffices and here), (action.verb, role, surface)
        if refused is not None and here:
            verb = f"use `{action.verb}`" if " " in action.verb else action.verb
            assert f"ada may not {verb}: that needs the role {least.value}" in refused.what
            assert "root" in refused.next_step


async def test_without_a_project_a_role_in_one_is_not_one_in_all(house: House) -> None:
    """What is about the whole fleet is refused to whoever is admin of each project, before it runs."""
    actions = over(house, person("ada", demo=Role.ADMIN), ROOT)
    for action in ALL:
        if action.scope is Scope.FLEET and Surface.SHELL in action.surfaces:
            with pytest.raises(NotAllowed, match="in all projects"):
                await actions.run(asked(action.verb, actor("ada"), Surface.SHELL))


async def test_while_nobody_is_known_a_chat_may_only_pair(house: House) -> None:
    for action, surface in itertools.product(ALL, (Surface.SLACK, Surface.DISCORD, Surface.WEB)):
        stranger = house.actions.access.actor(Identity(surface=surface, id="U1"))
        refused = refusal(house.actions, asked(action.verb, stranger, surface))
        assert (refused is None) is (action.verb == "pair"), (action.verb, surface)


async def test_an_owner_who_is_nobody_only_looks_on_and_can_get_back_in(house: House) -> None:
    actions = over(house, ROOT)
    for action in ALL:
        if Surface.SHELL not in action.surfaces or action.access is Needs.MACHINE:
            continue
        refused = refusal(actions, asked(action.verb, OWNER, Surface.SHELL))
        looks = action.role is Role.VIEWER or action.requesters
        back_in = {"people add", "people rm", "reload", "trust"}
        assert (refused is None) is (looks or action.verb in back_in), action.verb
        if refused is not None:
            assert "owner: true" in refused.next_step


@pytest.fixture
def two(house: House) -> House:
    """A second project, `web`, and a session in each; ada asked for that of `demo`."""
    file = house.core.settings.path
    file.write_text(file.read_text() + "  web:\n    path: .\n    sessionPrefix: web\n    agent: rehearsal\n")
    house.core.settings.take(house.core.settings.look().require())
    house.fleet.put(examples.session(id="demo-1", created_by=actor("ada")))
    house.fleet.put(
        examples.session(id="web-2", project="web", task=replace(examples.session().task, issue="2"))
    )
    return house


async def test_the_role_is_needed_in_the_sessions_project(two: House) -> None:
    actions = over(two, person("bo", demo=Role.APPROVER, web=Role.VIEWER), ROOT)
    assert (await actions.run(asked("hold", actor("bo"), session="demo-1"))).session == "demo-1"
    for named in ("web-2", "#2"):
        with pytest.raises(NotAllowed) as caught:
            await actions.run(asked("hold", actor("bo"), session=named))
        assert caught.value.what == (
            "bo may not hold: that needs the role approver in web, and bo is only viewer there."
        )
        assert caught.value.next_step == "root has it."
    assert two.fleet.get("web-2").hold is None


async def test_in_a_thread_it_is_the_threads_project(two: House) -> None:
    actions = over(two, person("bo", demo=Role.APPROVER), ROOT)
    with pytest.raises(NotAllowed, match="in web, and bo has no role there"):
        await actions.run(replace(asked("hold", actor("bo")), session="web-2"))
    with pytest.raises(BadInput, match="needs a session"):
        await actions.run(asked("hold", actor("bo")))


async def test_what_concerns_all_needs_the_role_in_all_projects(two: House) -> None:
    actions = over(two, person("bo", demo=Role.ADMIN, web=Role.ADMIN), person("cy", all=Role.OPERATOR), ROOT)
    for request in (
        asked("pause", actor("bo"), all=True),
        replace(asked("pause", actor("bo"), all=True), session="demo-1"),
        asked("reload", actor("bo")),
        asked("people add", actor("bo"), person="x", role="viewer", project="demo"),
        asked("cleanup", actor("bo")),
    ):
        with pytest.raises(NotAllowed, match="in all projects"):
            await actions.run(request)
    assert (await actions.run(asked("pause", actor("cy"), all=True))).title


async def test_a_projects_verbs_go_by_their_argument_and_by_the_place(two: House) -> None:
    actions = over(two, person("bo", demo=Role.OPERATOR), ROOT)
    for request in (
        asked("spawn", actor("bo"), project="web", issue="1"),
        asked("spawn", actor("bo"), project="WEB", issue="1"),
        replace(asked("spawn", actor("bo"), issue="1"), project="web"),
        asked("batch-spawn", actor("bo"), project="web", issues=("1",)),
        asked("issues", actor("bo"), place="web"),
        asked("cleanup", actor("bo"), project="web"),
        asked("claim", actor("bo"), project="demo", number=1, session="web-2"),
        asked("claim", actor("bo"), project="web", number=1),
        asked("status", actor("bo"), project="web"),
        asked("rules", actor("bo"), project="web"),
        asked("spawn", actor("bo"), project="nowhere", issue="1"),
    ):
        with pytest.raises(NotAllowed, match=r"in (web|nowhere), and bo has no role there"):
            await actions.run(request)
    seen = await actions.run(replace(asked("status", actor("bo")), project="demo"))
    assert seen.title == "1 session"


async def test_a_project_is_left_out_by_who_sees_no_other(two: House) -> None:
    core = two.core
    bench = Bench(home=core.home, registry=core.registry, settings=core.settings)
    context = Context(bench=bench, fleet=core, now=0.0, sees=lambda project: project == "demo")
    assert project_of(context, asked("spawn", actor("bo"))) == "demo"
    bo = person("bo", demo=Role.OPERATOR, web=Role.VIEWER)
    with pytest.raises(BadInput, match="needs a project") as caught:
        await over(two, bo, ROOT).run(asked("spawn", actor("bo")))
    assert caught.value.next_step == "There are: demo, web."


async def test_lists_show_what_somebody_may_see(two: House) -> None:
    await two.core.store.policy.add(KeptRule(id="r1", scope="project:web", rule="Bash(x)", by="a", at=0.0))
    await two.core.store.policy.add(KeptRule(id="r2", scope="project:demo", rule="Bash(y)", by="a", at=0.0))
    bo, cy = person("bo", demo=Role.VIEWER), person("cy", all=Role.VIEWER)
    actions = over(two, bo, cy, ROOT)

    async def seen(who: str) -> tuple[Any, ...]:
        found = [await actions.run(asked(verb, actor(who))) for verb in ("status", "rules", "project ls")]
        sessions, rules, projects = (data(message) for message in found)
        return (
            [one["id"] for one in sessions["sessions"]],
            [one["id"] for one in rules["rules"] if one["id"]],  # built-in ones have none
            [one["id"] for one in projects["projects"]],
        )

    assert await seen("bo") == (["demo-1"], ["r2"], ["demo"])
    assert await seen("cy") == (["demo-1", "web-2"], ["r1", "r2"], ["demo", "web"])
    with pytest.raises(NotAllowed, match="in web"):
        await actions.run(asked("status", actor("bo"), session="web-2"))
    assert "web" not in str(await actions.run(asked("status", actor("bo"), all=True)))


async def test_a_kept_rule_is_taken_back_by_an_operator_of_its_project(two: House) -> None:
    await two.core.store.policy.add(KeptRule(id="r1", scope="project:web", rule="Bash(x)", by="a", at=0.0))
    actions = over(two, person("bo", demo=Role.ADMIN), person("cy", web=Role.OPERATOR), ROOT)
    for name in ("r1", "none"):
        with pytest.raises(NotAllowed):
            await actions.run(asked("rules rm", actor("bo"), id=name))
    assert (await actions.run(asked("rules rm", actor("cy"), id="R1"))).title


@pytest.mark.parametrize("verb", ["pause", "kill"])
async def test_who_asked_for_a_session_may_stop_it(verb: str, two: House) -> None:
    actions = over(two, person("ada", demo=Role.VIEWER), person("bo", demo=Role.VIEWER), ROOT)
    with pytest.raises(NotAllowed, match="needs the role operator in demo"):
        await actions.run(asked(verb, actor("bo"), session="demo-1"))
    assert (await actions.run(asked(verb, actor("ada"), session="demo-1"))).session == "demo-1"
    with pytest.raises(NotAllowed, match="operator"):
        await actions.run(asked("send", actor("ada"), session="demo-1", text="x"))
    blind = over(two, person("ada", web=Role.VIEWER), ROOT)
    with pytest.raises(NotAllowed, match="in demo"):
        await blind.run(asked(verb, actor("ada"), session="demo-1"))


async def test_the_owner_acts_under_their_own_name(two: House) -> None:
    actions = over(two, replace(ROOT, owner=True))
    await actions.run(asked("hold", OWNER, Surface.SHELL, session="demo-1"))
    held = two.fleet.get("demo-1").hold
    assert held is not None
    assert (held.kind, held.placed) == (ActorKind.PERSON, "root in the shell")


async def test_an_agent_and_a_stranger_may_do_nothing(two: House) -> None:
    actions = over(two, ROOT)
    for who in (Actor(kind=ActorKind.AGENT, name="root"), actor("slack:U9"), actor("nobody")):
        with pytest.raises(NotAllowed):
            await actions.run(asked("status", who))


async def test_a_preview_needs_the_same_rights(two: House) -> None:
    actions = over(two, person("bo", web=Role.OPERATOR), ROOT)
    with pytest.raises(NotAllowed, match="in demo"):
        await actions.preview(asked("kill", actor("bo"), session="demo-1"))
