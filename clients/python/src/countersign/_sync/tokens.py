# Made from _async/tokens.py by scripts/generate.py: not to be edited.
"""Verifies access tokens: fetches what that takes, once for all who wait for it."""

from __future__ import annotations

from typing import Any

from .._call import Call
from .._tokens import Keys, Knowledge, Parsed, TokenClaims, Wish, no_facts, no_keys
from ..errors import CountersignError
from ..types import TokenFacts
from .shared import Shared
from .transport import Transport


class TokenVerifier:
    """Verifies tokens of one tenant."""

    def __init__(self, transport: Transport, keys: Call[Any], facts: Call[TokenFacts]) -> None:
        self._transport = transport
        self._keys_call = keys
        self._facts_call = facts
        self._known = Knowledge()
        self._keys = Shared(self._fetch_keys)
        self._facts = Shared(self._fetch_facts)

    def verify(self, token: str, wish: Wish) -> TokenClaims:
        """What a token says, if it is to be believed."""
        clock, known = self._transport.clock, self._known
        parsed = Parsed(token)
        key = (known.keys.fresh(clock.now()) or {}).get(parsed.kid)
        if key is None:
            keys = known.keys.enough(clock.now())
            key = (self._keys.get() if keys is None else keys).get(parsed.kid)
        parsed.check(key)
        parsed.judge_times(clock.wall())
        facts: TokenFacts | None = None
        if wish.needs_facts:
            facts = known.facts.fresh(clock.now()) or known.facts.enough(clock.now())
            facts = facts or self._facts.get()
        return parsed.judge(wish, facts, clock.wall())

    def _fetch_keys(self) -> Keys:
        clock, kept = self._transport.clock, self._known.keys
        try:
            value, headers = self._transport.read(self._keys_call)
            return self._known.keep_keys(value, headers, clock.now())
        except CountersignError as error:
            stale = kept.stale(clock.now())
            if stale is None:
                raise no_keys() from error
            return stale
        finally:
            kept.asked(clock.now())

    def _fetch_facts(self) -> TokenFacts:
        clock, kept = self._transport.clock, self._known.facts
        try:
            value = self._transport.send(self._facts_call)
            return self._known.keep_facts(value, clock.now())
        except CountersignError as error:
            stale = kept.stale(clock.now())
            if stale is None:
                raise no_facts() from error
            return stale
        finally:
            kept.asked(clock.now())
