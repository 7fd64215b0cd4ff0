"""Client tokens: JWTs that lead the browser to its session."""

import secrets
from collections.abc import Mapping

import jwt

ALGORITHM = "HS256"


class ClientTokens:
    """Sign and read client tokens with a key of this sandbox alone."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def sign(self, claims: Mapping[str, str]) -> str:
        """Return a JWT with these claims."""
        return jwt.encode(dict(claims), self._key, algorithm=ALGORITHM)

    def session_id(self, token: str) -> str | None:
        """Return the session that a token was signed for, or None for a token of someone else's making."""
        try:
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM])
        except jwt.InvalidTokenError:
            return None
        return str(claims["session_id"])
