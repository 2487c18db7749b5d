"""Carrying a person's review to the forge: at once by whoever gave it, or by the ring when the forge answers."""

from __future__ import annotations

from orchestrator.domain.session import Session
from orchestrator.domain.uncarried import UncarriedReview
from orchestrator.errors import NotAllowed, PermanentError, SignedOut
from orchestrator.lifecycle import acts, uncarried
from orchestrator.lifecycle.fleet import Fleet
from orchestrator.lifecycle.world import World
from orchestrator.ports.scm import SignsIn


async def carry(world: World, session: Session, review: UncarriedReview) -> str:
    """As the person where they are linked. Repeatable. Returns how, where the forge knows people.

    Raises `NotAllowed` for a link that is not good any more, and like `Scm.review`.
    """
    scm, who = world.scm(session), review.by.name
    as_ = await world.credential(session, who)
    try:
        done = await scm.review(
            world.ref(session), review.head, review.decision, review.by, review.body, as_=as_
        )
    except SignedOut as error:
        if as_ is None:
            raise
        raise await world.signed_out(session, who) from error
    if not isinstance(scm, SignsIn):
        return ""
    return done.words if done.counts else f"here: it counts for our own rules only; {done.words}"


async def carry_later(fleet: Fleet, session: Session, act: acts.CarryReview) -> None:
    """The forge did not answer when it was given, or we were stopped before it did."""
    if uncarried.find(fleet.get(session.id), act.review) is None:
        return  # carried, replaced or overtaken since this act was planned
    try:
        how = await carry(fleet.world, session, act.review)
    except NotAllowed as error:
        raise PermanentError(error.what, session=session.id, next_step=error.next_step) from error
    await fleet.change(session.id, lambda d: uncarried.carried(d, act.review, how))
    fleet.wake(session.id)
