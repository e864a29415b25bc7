// What every TypeScript client checks, and how it says so. Knows no client library.

import { readFileSync } from 'node:fs';

// The command line: what is expected, the era, the transport and where the server is.
export function commandLine() {
    const [expected, era, transport, ...where] = process.argv.slice(2);
    return { expected: JSON.parse(readFileSync(expected, 'utf8')), era, transport, where };
}

// Runs all checks. `client` gives `revision()`, `listTools()` and `callTool(params)`.
export async function check(client, expected, era) {
    const wanted = era === 'modern' ? '2026-07-28' : '2025-11-25';
    report('revision', client.revision() === wanted ? null : `negotiated ${client.revision()}, not ${wanted}`);

    const names = (await client.listTools()).tools.map((tool) => tool.name);
    const missing = expected.tools.filter((name) => !names.includes(name));
    report('lists', missing.length ? `not listed: ${missing.join(', ')}` : null);

    const good = await client.callTool({ name: 'get_customer', arguments: { customer_id: expected.customer.id } });
    report('row', row(good, expected.customer));

    const bad = await client.callTool({ name: 'get_customer', arguments: { customer_id: expected.bad_id } });
    report('fault', fault(bad));
}

function row(result, customer) {
    if (result.isError) return `answered with a fault: ${texts(result)}`;
    const places = { structuredContent: result.structuredContent, content: JSON.parse(texts(result)[0] ?? 'null') };
    for (const [place, found] of Object.entries(places)) {
        for (const [key, value] of Object.entries(customer)) {
            if (found?.[key] !== value) return `${place} has ${key} = ${found?.[key]}, the database ${value}`;
        }
    }
    return null;
}

function fault(result) {
    if (!result.isError) return `no fault but ${texts(result)}`;
    return texts(result).some((text) => text.includes('customer_id')) ? null : `does not name the argument: ${texts(result)}`;
}

function texts(result) {
    return result.content.filter((block) => block.type === 'text').map((block) => block.text);
}

function report(name, problem) {
    console.log(problem ? `fail ${name}: ${problem}` : `pass ${name}`);
}
