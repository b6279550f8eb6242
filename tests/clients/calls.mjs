// What an app does with the real @supabase/supabase-js. Reads who and where from standard input as JSON, writes what came back
// as JSON; the test beside it says what that must be.
import { createClient } from "@supabase/supabase-js";

const told = JSON.parse(await new Promise((resolve) => {
  let text = "";
  process.stdin.on("data", (part) => (text += part)).on("end", () => resolve(text));
}));

const as = (key, signedIn) =>
  createClient(told.url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: class {} }, // Node.js before 22 has no WebSocket, and nothing here needs one
    accessToken: signedIn ? async () => signedIn : undefined,
  });

const visitor = as(told.anon);
const bo = as(told.anon, told.bo);
const cy = as(told.anon, told.cy);
const service = as(told.service);
const ada = { p_mentor_id: told.ada };
const chapter = { p_chapter_id: told.north };
const kept = ({ data, error, status, count }) => ({ data, error, status, count });

const failure = async ({ data, error, response }) => ({
  data,
  status: error?.context?.status ?? response?.status ?? null,
  body: error?.context ? await error.context.json() : null,
});

const answers = {
  status: kept(await bo.rpc("get_mentor_status", ada)),
  statusByGet: kept(await bo.rpc("get_mentor_status", ada, { get: true }).single()),
  counted: kept(await bo.rpc("get_mentor_status", ada, { head: true, count: "exact" })),
  chosen: kept(await bo.rpc("get_mentor_status", ada).select("status").limit(1)),
  filtered: kept(await bo.rpc("list_chapter_mentors", chapter).eq("status", "active").like("first_name", "A%").select("first_name,status")),
  listed: kept(await bo.rpc("list_chapter_mentors", chapter).in("first_name", ["Ada", "Finn"]).order("first_name", { ascending: false }).limit(1).select("name:first_name")),
  ranged: kept(await bo.rpc("list_chapter_mentors", chapter, { count: "exact" }).neq("status", "paused").order("first_name").range(1, 1).select("first_name")),
  either: kept(await bo.rpc("list_chapter_mentors", chapter, { get: true }).or("first_name.eq.Ada,status.eq.paused").not("first_name", "is", null).is("pause_reason", null).gte("first_name", "A").lt("first_name", "B").select("first_name")),
  noOperator: kept(await bo.rpc("list_chapter_mentors", chapter).contains("first_name", ["Ada"])),
  noColumn: kept(await bo.rpc("list_chapter_mentors", chapter).eq("shoe_size", 42)),
  noSuchStatus: kept(await bo.rpc("list_chapter_mentors", chapter).eq("status", "asleep")),
  paused: kept(await bo.rpc("rpc_pause_mentor", { ...ada, p_reason: "travel", p_idempotency_key: "k" }).single()),
  repeated: kept(await bo.rpc("rpc_pause_mentor", { ...ada, p_reason: "travel", p_idempotency_key: "k" }).single()),
  again: kept(await bo.rpc("rpc_pause_mentor", { ...ada, p_reason: "travel" })),
  outdated: kept(await bo.rpc("rpc_reactivate_mentor", { ...ada, p_expected_updated_at: "2020-01-01T00:00:00Z" }).maybeSingle()),
  none: kept(await bo.rpc("rpc_reactivate_mentor", { ...ada, p_expected_updated_at: "2020-01-01T00:00:00Z" }).single()),
  moved: kept(await bo.rpc("update_mentor_status", { ...ada, p_new_status: "active", p_actor_id: told.boId, p_reason: null })),
  device: kept(await bo.rpc("register_device_token", { p_token: "a-device-token", p_platform: "web" })),
  forbidden: kept(await cy.rpc("rpc_pause_mentor", { ...ada, p_reason: "other" })),
  visitor: kept(await visitor.rpc("rpc_pause_mentor", { ...ada, p_reason: "other" })),
  unknown: kept(await bo.rpc("drop_everything", { x: 1 })),
  misnamed: kept(await bo.rpc("get_mentor_status", { mentor: told.ada })),
  roster: kept(await visitor.rpc("public_chapter_roster", { p_chapter_id: told.north }).select("display_name")),
  pushed: await failure(
    await service.functions.invoke("send-push-notifications", {
      body: { tokens: ["a-token"], notification: { title: "Hei", body: "" }, data: {} },
    }),
  ),
  expiry: await failure(await service.functions.invoke("certification-expiry-job", { method: "POST" })),
  refused: await failure(await bo.functions.invoke("certification-expiry-job", { method: "POST" })),
  wrong: await failure(await service.functions.invoke("send-push-notifications", { body: { tokens: [] } })),
};
process.stdout.write(JSON.stringify(answers));
