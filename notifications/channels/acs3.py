"""ACS3-HMAC-SHA256, the signature of Aliyun's OpenAPI (PROVIDERS §5): twenty lines instead of 43 MB of SDK."""

import hashlib
import hmac
import uuid
from collections.abc import Mapping
from urllib.parse import quote

from backend.kernel import clock

ALGORITHM = "ACS3-HMAC-SHA256"
_NO_BODY = hashlib.sha256(b"").hexdigest()


def canonical_query(parameters: Mapping[str, str]) -> str:
    """Sorted and percent-encoded by RFC 3986; the same text goes on the wire and into the signature."""
    return "&".join(f"{_encoded(name)}={_encoded(parameters[name])}" for name in sorted(parameters))


def signed_headers(
    host: str, action: str, version: str, query: str, key_id: str, secret: str
) -> dict[str, str]:
    """Headers of a POST to / without a body."""
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": _NO_BODY,
        "x-acs-date": clock.wire_now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": uuid.uuid4().hex,
        "x-acs-version": version,
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = "\n".join(("POST", "/", query, lines, names, _NO_BODY))
    text = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = f"{ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signature}"
    return headers


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
