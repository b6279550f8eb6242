"""A real provider of sign-ins on this machine, and a browser that fills in its pages: npm's oidc-provider, run by Node.js."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CLIENT_ID = "peerpause with a space"
CLIENT_SECRET = "a secret: with + and %, as providers make them"
PUBLIC_CLIENT_ID = "peerpause-public"


@dataclass(frozen=True, slots=True)
class RealProvider:
    """A running provider: who it is, and where the installation is that it sends people back to."""

    issuer: str
    public_url: str


def is_installed() -> bool:
    """Whether the machine has it."""
    return shutil.which("node") is not None and (ROOT / "node_modules" / "oidc-provider").is_dir()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def real_provider(public_url: str, accounts: Mapping[str, Mapping[str, Any]]) -> Iterator[RealProvider]:
    """Run a provider whose accounts are these: what somebody types as their login, and the claims about them."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    shared = {
        "redirect_uris": [f"{public_url}/sign-in/callback"],
        "post_logout_redirect_uris": [f"{public_url}/sign-in"],
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
    }
    clients = [
        {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **shared},
        {"client_id": PUBLIC_CLIENT_ID, "token_endpoint_auth_method": "none", **shared},
    ]
    told = json.dumps({"issuer": issuer, "port": port, "clients": clients, "accounts": accounts})
    with subprocess.Popen(
        ["node", str(Path(__file__).with_name("oidc_provider.mjs")), told],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdin is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if line.strip() == "ready":
                break
        else:
            raise RuntimeError(f"the provider did not start: {''.join(lines)}{process.stderr.read()}")
        try:
            yield RealProvider(issuer=issuer, public_url=public_url)
        finally:
            process.stdin.close()
            process.stdout.close()
            process.stderr.close()
            process.wait(10)
