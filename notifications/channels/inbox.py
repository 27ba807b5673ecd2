"""The message box in our own app: nothing goes out, so nothing can be lost."""

from collections.abc import Mapping

from notifications import wording
from notifications.channels.port import Answer, Arrived, Composed, Letter, Outcome, Question, Taken


class Inbox:
    """Where every message lies, whatever else carries it."""

    name = wording.INBOX
    can_ask = True

    def compose(self, kind: str, values: Mapping[str, str]) -> Composed:
        words = wording.inbox(kind)
        return Composed(
            title=wording.fill(words.title, values),
            text=wording.fill(words.text, values),
            page=wording.fill(words.page, values),
        )

    def send(self, letter: Letter) -> Outcome:
        return Taken(letter.message_id)

    def ask(self, question: Question) -> Answer:
        return Arrived(question.called_at)
