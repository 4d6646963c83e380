// A client on Node's fetch, without a library and without a word of proxies: signs in, verifies its token, reads the pumps and the events
// of some days. node node_client.cjs FIRST_DAY LAST_DAY
"use strict";

const crypto = require("node:crypto");

const TDC = "https://tdcservices.tandemdiabetes.com/accounts/api";
const SOURCE = "https://source.tandemdiabetes.com";
const CLIENT = "0oa4wnbvtladeyVZX4h7";
const CALLBACK = "https://sso.tandemdiabetes.com/auth/callback";

const json = async (url, options) => {
  const answer = await fetch(url, options);
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  return answer.json();
};

async function main(firstDay, lastDay) {
  const login = { username: "anyone@example.invalid", password: "any password" };
  const signedIn = await fetch(`${TDC}/login`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(login) });
  const cookies = signedIn.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
  await signedIn.arrayBuffer();
  const verifier = crypto.randomBytes(64).toString("base64url");
  const query = new URLSearchParams({
    client_id: CLIENT,
    response_type: "code",
    scope: "openid profile email",
    redirect_uri: CALLBACK,
    code_challenge: crypto.createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const landed = await fetch(`${TDC}/connect/authorize?${query}`, { headers: { Cookie: cookies } });
  const code = new URL(landed.url).searchParams.get("code");
  const form = { grant_type: "authorization_code", client_id: CLIENT, code, redirect_uri: CALLBACK, code_verifier: verifier };
  const tokens = await json(`${TDC}/connect/token`, { method: "POST", body: new URLSearchParams(form) });
  const { keys } = await json(`${TDC}/.well-known/openid-configuration/jwks`);
  const [head, body, signature] = tokens.id_token.split(".");
  const key = crypto.createPublicKey({ key: keys[0], format: "jwk" });
  if (!crypto.verify("RSA-SHA256", Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"))) throw new Error("signature");
  const claims = JSON.parse(Buffer.from(body, "base64url"));
  const headers = { Authorization: `Bearer ${tokens.access_token}`, Origin: SOURCE, Referer: `${SOURCE}/` };
  const { pumps } = await json(`${SOURCE}/api/reports/bff/pumper/${claims.pumperId}`, { headers });
  const newest = pumps.filter((pump) => pump.maxDateOfEvents).sort((a, b) => (a.maxDateOfEvents < b.maxDateOfEvents ? 1 : -1))[0];
  const days = { pumperId: claims.pumperId, startDate: `${firstDay}T00:00:00Z`, endDate: `${lastDay}T23:59:59Z` };
  const found = await json(`${SOURCE}/api/reports/bff/pump-logs/${newest.assignmentId}?${new URLSearchParams(days)}`, { headers });
  const numbers = [...found.events, ...found.clockChanges].map((event) => event.sequenceNumber).sort((a, b) => a - b);
  console.log(JSON.stringify({ claims: Object.keys(claims).length, pumps: pumps.length, events: numbers.length, numbers }));
}

main(...process.argv.slice(2));
