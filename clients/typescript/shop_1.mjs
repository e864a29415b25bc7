// Drives the shop with `@modelcontextprotocol/sdk` 1.x, which knows only the legacy era.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { check, commandLine } from './checks.mjs';

const { expected, era, transport, where } = commandLine();
const client = new Client({ name: 'callgate-test', version: '1.0.0' });
const wire =
    transport === 'http'
        ? new StreamableHTTPClientTransport(new URL(where[0]))
        : new StdioClientTransport({ command: where[0], args: where.slice(1) });

// The client does not tell which revision it negotiated, but it tells the transport.
let negotiated;
const remember = wire.setProtocolVersion?.bind(wire);
wire.setProtocolVersion = (version) => {
    negotiated = version;
    remember?.(version);
};

await client.connect(wire);
await check(
    {
        revision: () => negotiated,
        listTools: () => client.listTools(),
        callTool: (params) => client.callTool(params)
    },
    expected,
    era
);
await client.close();
