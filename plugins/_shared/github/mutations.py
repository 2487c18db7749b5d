"""The GraphQL documents by which GitHub is changed or asked, where REST cannot. Tests check each against its schema.

REST has no call for draft and ready, threads, the merge queue and auto-merge.
"""

from __future__ import annotations

from collections.abc import Mapping

READY = """
mutation Ready($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft } } }
"""

DRAFT = """
mutation Draft($id: ID!) { convertPullRequestToDraft(input: {pullRequestId: $id}) { pullRequest { isDraft } } }
"""

TERMS = """
query Terms($owner: String!, $name: String!, $number: Int!, $base: String!) {
  repository(owner: $owner, name: $name) {
    mergeCommitAllowed squashMergeAllowed rebaseMergeAllowed autoMergeAllowed
    mergeQueue(branch: $base) { url }
    pullRequest(number: $number) {
      id headRefOid isInMergeQueue mergeQueueEntry { position } autoMergeRequest { enabledAt }
    }
  }
}
"""
"""On what terms a pull request gets into its base."""

ENQUEUE = """
mutation Enqueue($id: ID!, $head: GitObjectID!) {
  enqueuePullRequest(input: {pullRequestId: $id, expectedHeadOid: $head}) { mergeQueueEntry { position } }
}
"""

DEQUEUE = """
mutation Dequeue($id: ID!) { dequeuePullRequest(input: {id: $id}) { mergeQueueEntry { position } } }
"""

AUTO_MERGE = """
mutation AutoMerge($id: ID!, $head: GitObjectID!, $method: PullRequestMergeMethod!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $id, expectedHeadOid: $head, mergeMethod: $method}) {
    pullRequest { autoMergeRequest { enabledAt } }
  }
}
"""

NO_AUTO_MERGE = """
mutation NoAutoMerge($id: ID!) {
  disablePullRequestAutoMerge(input: {pullRequestId: $id}) { pullRequest { autoMergeRequest { enabledAt } } }
}
"""

AUTHORED = """
query Authored($id: ID!) { node(id: $id) { ... on PullRequest { viewerDidAuthor } } }
"""

THREAD = """
query ThreadOf($id: ID!) {
  node(id: $id) {
    ... on PullRequestReviewThread {
      isResolved pullRequest { number repository { nameWithOwner } }
      comments(last: 1) { nodes { body viewerDidAuthor } }
    }
  }
}
"""

REPLY = """
mutation Reply($id: ID!, $body: String!) {
  addPullRequestReviewThreadReply(input: {pullRequestReviewThreadId: $id, body: $body}) { comment { url } }
}
"""

RESOLVE = """
mutation Resolve($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { isResolved } } }
"""


def documents() -> Mapping[str, str]:
    """Every document by name, for the test that compares them with GitHub's schema."""
    return {
        "ready": READY,
        "draft": DRAFT,
        "terms": TERMS,
        "enqueue": ENQUEUE,
        "dequeue": DEQUEUE,
        "auto-merge": AUTO_MERGE,
        "no auto-merge": NO_AUTO_MERGE,
        "thread": THREAD,
        "reply": REPLY,
        "resolve": RESOLVE,
    }
