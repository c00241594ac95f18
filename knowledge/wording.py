"""The words by which logs name what they tell, as the knowledge has them; reads no log."""

from __future__ import annotations

import re

from pydantic import Field

from .schema import Document


class WordsDocument(Document):
    """Words that mean one thing in the name of a logged number, or what words of another language mean in English."""

    words: str
    means: str
    because: str
    any_of: tuple[str, ...] = ()
    """Whole words of a name, lower case, most telling first where that counts."""
    terms: dict[str, str] = Field(default_factory=dict)
    """Words of another language and what they are in English."""
    parted: bool = True
    """Whether spaces stand between the words of that language."""
    like: tuple[str, ...] = Field(min_length=1)
    """Names or lines that hold one of the words."""
    unlike: tuple[str, ...] = Field(min_length=1)
    """Names that look alike and hold none."""

    def holds(self, name: str) -> bool:
        """Whether a name holds one of the words, or one with a number behind it."""
        text = name.lower()
        if any(re.search(rf"(?<!\w){term}(?!\w)", text) if self.parted else term in text for term in self.terms):
            return True
        return any(re.search(rf"(?<![a-z0-9]){re.escape(word)}\d*(?![a-z0-9])", text) for word in self.any_of)

    def wrong(self) -> str:
        """Return what does not hold of the words, or nothing."""
        if bool(self.any_of) == bool(self.terms):
            return "expected either `any_of` or `terms`"
        missed = [name for name in self.like if not self.holds(name)]
        found = [name for name in self.unlike if self.holds(name)]
        if missed:
            return f"{missed[0]!r} in `like` holds none of the words"
        return f"{found[0]!r} in `unlike` holds one of the words" if found else ""
