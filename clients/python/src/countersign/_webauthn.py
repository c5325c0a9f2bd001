"""Credentials of WebAuthn (W3C WebAuthn Level 3, sections 5.4 to 5.6) as JSON carries them.

A Python application never holds a browser's own objects: it gets and gives their JSON forms, whose
binary members are base64url, and which keep the standard's names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Union, cast

from .params import (
    AuthenticationResponse,
    CreationOptions,
    RegistrationResponse,
    RequestOptions,
)

RegistrationCredential = Union[RegistrationResponse, Mapping[str, Any], str, bytes]
"""A registration as the browser gave it: its JSON, parsed or not."""

AssertionCredential = Union[AuthenticationResponse, Mapping[str, Any], str, bytes]
"""An assertion as the browser gave it: its JSON, parsed or not."""


def credential_json(credential: RegistrationCredential | AssertionCredential) -> dict[str, Any]:
    """A credential as an object.

    Raises:
        ValueError: If a text is no JSON object.

    """
    value: Any = credential
    if isinstance(value, (str, bytes)):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            # Without the text, which is a credential.
            raise ValueError("a credential is a JSON object") from None
    if not isinstance(value, Mapping):
        raise ValueError("a credential is a JSON object")
    return dict(cast("Mapping[str, Any]", value))


def creation_options(value: Any) -> CreationOptions:
    """Options as the service told them, and as JSON has them: a dictionary."""
    return cast("CreationOptions", value)


def request_options(value: Any) -> RequestOptions:
    """Options as the service told them, and as JSON has them: a dictionary."""
    return cast("RequestOptions", value)
