// A real OpenID Connect provider for the tests: npm's oidc-provider with its own pages for login and consent.
// Reads its settings as one JSON object from the first argument; says "ready" once it listens; ends with its standard input.
import Provider from "oidc-provider";

const { issuer, port, clients, accounts } = JSON.parse(process.argv[2]);

const provider = new Provider(issuer, {
  clients,
  cookies: { keys: ["a key for cookies, for tests"] },
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  findAccount: (_, id) =>
    id in accounts ? { accountId: id, claims: async () => ({ sub: id, ...accounts[id] }) } : undefined,
  pkce: { required: () => true },
  features: { rpInitiatedLogout: { enabled: true } },
  ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 600, IdToken: 60, Interaction: 600, Session: 600 },
});
// Seconds that people would see cut off here; the pages under test send people on at once.
provider.listen(port, "127.0.0.1", () => console.log("ready"));
process.stdin.on("end", () => process.exit(0)).resume();
