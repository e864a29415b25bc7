// Drives the shop with `@modelcontextprotocol/client` 2.x, in either era.

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { check, commandLine } from './checks.mjs';

const { expected, era, transport, where } = commandLine();
const options = era === 'modern' ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {};
const client = new Client({ name: 'callgate-test', version: '1.0.0' }, options);
await client.connect(
    transport === 'http'
        ? new StreamableHTTPClientTransport(new URL(where[0]))
        : new StdioClientTransport({ command: where[0], args: where.slice(1) })
);
await check(
    {
        revision: () => client.getNegotiatedProtocolVersion(),
        listTools: () => client.listTools(),
        callTool: (params) => client.callTool(params)
    },
    expected,
    era
);
await client.close();
