"""What is sent to Newsmill instead of being fetched: the inbox, a directory of documents, and WebSub, which fills it."""

from pipeline.push.inbox import Drop, Inbox

__all__ = ["Drop", "Inbox"]
