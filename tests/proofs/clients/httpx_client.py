"""A client on httpx and asyncio (ha-tandem-pump is one): signs in, verifies its token, reads the pumps and the events of some days.

python httpx_client.py FIRST_DAY LAST_DAY
"""

import asyncio
import base64
import hashlib
import json
import os
import sys
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt

TDC = "https://tdcservices.tandemdiabetes.com/accounts/api"
SOURCE = "https://source.tandemdiabetes.com"
CLIENT = "0oa4wnbvtladeyVZX4h7"
CALLBACK = "https://sso.tandemdiabetes.com/auth/callback"


async def main(first_day: str, last_day: str) -> None:
    """Print what it made of the answers."""
    verifier = base64.urlsafe_b64encode(os.urandom(64)).rstrip(b"=").decode()
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    async with httpx.AsyncClient(follow_redirects=True) as client:
        login = await client.post(f"{TDC}/login", json={"username": "anyone@example.invalid", "password": "any password"})
        login.raise_for_status()
        query = {"client_id": CLIENT, "response_type": "code", "scope": "openid profile email", "redirect_uri": CALLBACK}
        landed = await client.get(f"{TDC}/connect/authorize", params=query | {"code_challenge": challenge, "code_challenge_method": "S256"})
        form = {"grant_type": "authorization_code", "client_id": CLIENT, "redirect_uri": CALLBACK, "code_verifier": verifier}
        form["code"] = parse_qs(urlsplit(str(landed.url)).query)["code"][0]
        tokens = (await client.post(f"{TDC}/connect/token", data=form)).json()
        keys = jwt.PyJWKSet.from_dict((await client.get(f"{TDC}/.well-known/openid-configuration/jwks")).json())
        claims = jwt.decode(tokens["id_token"], keys.keys[0].key, algorithms=["RS256"], audience=CLIENT, issuer=TDC)
        client.headers.update({"Authorization": f"Bearer {tokens['access_token']}", "Origin": SOURCE, "Referer": f"{SOURCE}/"})
        pumps = (await client.get(f"{SOURCE}/api/reports/bff/pumper/{claims['pumperId']}")).json()["pumps"]
        newest = max((pump for pump in pumps if pump["maxDateOfEvents"]), key=lambda pump: str(pump["maxDateOfEvents"]))
        window = {"pumperId": claims["pumperId"], "startDate": f"{first_day}T00:00:00Z", "endDate": f"{last_day}T23:59:59Z"}
        found = (await client.get(f"{SOURCE}/api/reports/bff/pump-logs/{newest['assignmentId']}", params=window)).json()
    events = [event["sequenceNumber"] for event in (*found["events"], *found["clockChanges"])]
    print(json.dumps({"claims": len(claims), "pumps": len(pumps), "events": len(events), "numbers": sorted(events)}))  # noqa: T201  # its output is its purpose


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
