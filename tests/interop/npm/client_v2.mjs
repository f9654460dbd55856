// @modelcontextprotocol/client 2.x, in the era named by ERA (`legacy` or `auto`): client_v2.mjs URL SCENARIO, key in API_KEY.

import { load, version } from './packages.mjs';
import { main } from './scenario.mjs';

const { Client, StreamableHTTPClientTransport } = load('@modelcontextprotocol/client');

await main(async (url, headers, answer) => {
  const sdk = new Client(
    { name: 'interop', version: '1.0.0' },
    { capabilities: { elicitation: {} }, versionNegotiation: { mode: process.env.ERA ?? 'auto' } },
  );
  sdk.setRequestHandler('elicitation/create', answer);
  const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers } });
  await sdk.connect(transport);
  return {
    sdk,
    name: `@modelcontextprotocol/client ${version('@modelcontextprotocol/client')}`,
    revision: () => sdk.getNegotiatedProtocolVersion(),
    capabilities: () => sdk.getServerCapabilities(),
    server: () => sdk.getServerVersion(),
    callTool: (name, args, options) => sdk.callTool({ name, arguments: args }, options),
    close: async () => {
      await transport.terminateSession();
      await sdk.close();
    },
  };
});
