// @modelcontextprotocol/sdk 1.x, the handshake era: client_v1.mjs URL SCENARIO, key in API_KEY.

import { load, version } from './packages.mjs';
import { main } from './scenario.mjs';

const { Client } = load('@modelcontextprotocol/sdk/client/index.js');
const { StreamableHTTPClientTransport } = load('@modelcontextprotocol/sdk/client/streamableHttp.js');
const { ElicitRequestSchema } = load('@modelcontextprotocol/sdk/types.js');

await main(async (url, headers, answer) => {
  const sdk = new Client({ name: 'interop', version: '1.0.0' }, { capabilities: { elicitation: {} } });
  sdk.setRequestHandler(ElicitRequestSchema, answer);
  const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers } });
  await sdk.connect(transport);
  return {
    sdk,
    name: `@modelcontextprotocol/sdk ${version('@modelcontextprotocol/sdk')}`,
    revision: () => transport.protocolVersion,
    capabilities: () => sdk.getServerCapabilities(),
    server: () => sdk.getServerVersion(),
    callTool: (name, args, options) => sdk.callTool({ name, arguments: args }, undefined, options),
    close: async () => {
      await transport.terminateSession();
      await sdk.close();
    },
  };
});
