"""What is kept of a session's conversation on one surface: where it is, what was shown, what is being posted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

MOST_POSTS = 400
"""Posts of a thread that are remembered, so that they can be edited; older ones stay as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message of ours on a surface."""

    id: str
    """The surface's own name for it."""
    digest: str = ""
    """A short name of what it shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One session on one surface."""

    channel: str = ""
    card: str = ""
    """The card's message, and the thread under it; empty before it is posted."""
    shown: str = ""
    """A short name of what the card shows."""
    after: int = 0
    """Number of the newest event that the thread has, or that it needed not."""
    posts: dict[str, Post] = field(default_factory=dict)
    """By what each is about, the oldest first."""
    opening: str = ""
    """What is being posted, kept before it is: after a crash it is looked up, and only then posted again."""
    opening_at: float = 0.0

    def with_post(self, about: str, post: Post) -> Conversation:
        """With one post more, or another one in its place; nothing is being posted any more."""
        posts = {**self.posts, about: post}
        for oldest in list(posts)[: max(0, len(posts) - MOST_POSTS)]:
            del posts[oldest]
        return replace(self, posts=posts, opening="", opening_at=0.0)

    def without_post(self, about: str) -> Conversation:
        """That one is gone there."""
        return replace(self, posts={name: post for name, post in self.posts.items() if name != about})
