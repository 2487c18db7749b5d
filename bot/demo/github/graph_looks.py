"""Fields of the GraphQL API that looks at pull requests ask for beside the others: commits, rules, who wrote what."""

from __future__ import annotations

from bot.demo.github.graph_fields import Args, CommitAt, Graph, Tip, of
from bot.demo.github.model import Comment, Repository, Review, ReviewComment
from bot.demo.github.model_checks import WorkflowRun
from bot.demo.github.model_rules import Protection
from bot.demo.github.refusals import Json
from bot.demo.github.world import iso


async def _committed(graph: Graph, where: CommitAt, _args: Args) -> str | None:
    known: dict[str, float] = graph.world.committed
    if where.sha not in known:
        known[where.sha] = float(
            await graph.world.git(where.repo).run("show", "-s", "--format=%ct", where.sha)
        )
    return iso(known[where.sha])


def _object(_graph: Graph, repo: Repository, args: Args) -> CommitAt | None:
    return CommitAt(repo, args["oid"]) if args.get("oid") else None


def _rule(_graph: Graph, tip: Tip, _args: Args) -> Json | None:
    """Of classic protection alone, as GitHub has it."""
    found: Protection | None = tip.repo.protections.get(tip.branch)
    if found is None:
        return None
    return {
        "pattern": tip.branch,
        "requiredApprovingReviewCount": found.approvals,
        "requiredStatusCheckContexts": found.checks,
        "requiresCodeOwnerReviews": found.code_owners,
        "requiresConversationResolution": found.conversations,
    }


def _wrote(graph: Graph, one: Comment | Review | ReviewComment, _args: Args) -> bool:
    return graph.who.user is one.author


def _workflow(_graph: Graph, run: WorkflowRun, _args: Args) -> Json:
    return {"kind": "Workflow", "id": f"W_{run.name}", "name": run.name}


of("Commit", committedDate=_committed)
of("Repository", object=_object)
of("Ref", refUpdateRule=_rule)
of("WorkflowRun", workflow=_workflow)
of("IssueComment", viewerDidAuthor=_wrote)
of("PullRequestReview", viewerDidAuthor=_wrote)
of("PullRequestReviewComment", viewerDidAuthor=_wrote, isMinimized=lambda _g, _one, _: False)
