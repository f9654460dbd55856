// Plays one scenario file with a connected client of an npm MCP package and prints what the client saw.

import { readFileSync } from 'node:fs';

const TOTAL_MILLISECONDS_MAX = 60_000;

async function answered(request) {
  try {
    return { result: await request };
  } catch (error) {
    return { error: { code: error.code, message: error.message, data: error.data } };
  }
}

async function call(client, step) {
  const progress = [];
  const onprogress = ({ progress: done, total, message }) => progress.push({ progress: done, total, message });
  const outcome = await answered(client.callTool(step.tool, step.arguments, { onprogress }));
  return { tool: step.tool, progress, ...outcome };
}

/** Cancels a call after its first progress notification, then asks the witness, on the same connection. */
async function cancel(client, step) {
  const abort = new AbortController();
  const request = client.callTool(step.tool, step.arguments, {
    signal: abort.signal,
    onprogress: () => abort.abort(),
  });
  const cancelled = await request.then(() => false, () => abort.signal.aborted);
  return { cancelled, witness: await answered(client.callTool(step.witness.tool, step.witness.arguments)) };
}

async function each(steps, ask) {
  const outcomes = [];
  for (const step of steps ?? []) outcomes.push(await ask(step));
  return outcomes;
}

async function play(client, scenario) {
  const { resources, prompts } = client.capabilities();
  const saw = { tools: (await client.sdk.listTools()).tools };
  if (resources) {
    saw.resources = (await client.sdk.listResources()).resources;
    saw.templates = (await client.sdk.listResourceTemplates()).resourceTemplates;
  }
  if (prompts) saw.prompts = (await client.sdk.listPrompts()).prompts;
  saw.calls = await each(scenario.calls, (step) => call(client, step));
  saw.read = await each(scenario.read, (uri) => answered(client.sdk.readResource({ uri })));
  saw.prompted = await each(scenario.prompted, (step) =>
    answered(client.sdk.getPrompt({ name: step.prompt, arguments: step.arguments })));
  if (scenario.cancel) saw.cancel = await cancel(client, scenario.cancel);
  return saw;
}

/** `connect(url, headers, answer)` gives `{ name, revision(), capabilities(), server(), callTool(), close(), sdk }`. */
export async function main(connect) {
  const timer = setTimeout(() => {
    console.error(`no end after ${TOTAL_MILLISECONDS_MAX} ms`);
    process.exit(1);
  }, TOTAL_MILLISECONDS_MAX);
  const [url, scenarioFile] = process.argv.slice(2);
  const scenario = JSON.parse(readFileSync(scenarioFile, 'utf8'));
  const answer = () => ({ action: 'accept', content: scenario.answer ?? {} });
  const client = await connect(new URL(url), { 'x-api-key': process.env.API_KEY }, answer);
  const saw = await play(client, scenario);
  const report = { client: client.name, revision: client.revision(), server: client.server(), saw };
  await client.close();
  clearTimeout(timer);
  console.log(JSON.stringify(report));
}
