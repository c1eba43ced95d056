// A generated TypeScript client starts, pauses, resumes and stops a timer. Called with URL, TOKEN and OWNER.
// `api.d.ts` beside it is what openapi-typescript makes of the document.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[] };

type Judged = components["schemas"]["JudgedTimer"];
type Answer = { data?: Judged | components["schemas"]["RecordedPress"]; error?: components["schemas"]["Problem"] };

const [url, token, owner] = process.argv.slice(2);
if (!url || !token || !owner) throw new Error("usage: press URL TOKEN OWNER");
const api = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${token}` } });

function judged({ data, error }: Answer): Judged {
  if (error) throw new Error(`${error.rule}: ${error.detail}`);
  if (!data || !("state" in data)) throw new Error("recorded, and not judged in time");
  return data;
}

const started = judged(
  await api.POST("/v1/timers", {
    body: { owner, job_id: "roof" },
    params: { header: { "Idempotency-Key": `${owner}-1`, Prefer: "wait=10" } },
  }),
);
const params = { path: { timer_id: started.id } };
console.log(started.state);
console.log(judged(await api.POST("/v1/timers/{timer_id}/pause", { params })).state);
console.log(judged(await api.POST("/v1/timers/{timer_id}/resume", { params })).state);
const stopped = judged(await api.POST("/v1/timers/{timer_id}/stop", { params }));
console.log(stopped.state);

const again = await api.POST("/v1/timers/{timer_id}/pause", { params });
console.log(again.response.status, again.error?.rule);

const read = await api.GET("/v1/timers/{timer_id}", {
  params: { path: { timer_id: started.id }, header: { "X-Min-Position": stopped.position } },
});
console.log(read.data?.intervals.length, "intervals of", read.data?.job_id);
