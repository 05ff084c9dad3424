// What both suites share: the fixture's document, a thin hand on the management API, and waiting.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const path = process.env.BURGEE_SDK_FIXTURE;
if (!path) throw new Error('BURGEE_SDK_FIXTURE must name the file that fixture.py wrote');

export const data = JSON.parse(readFileSync(path, 'utf8'));
export const api = `${data.base}/api/v1/`;
export const { client_key: clientKey, server_key: serverKey } = data.environment;

let count = 0;
/** A name no other test and no other run uses. */
export const unique = (suite) => `${suite}-${process.pid}-${Date.now()}-${count++}`;

async function call(method, path, body) {
    const answer = await fetch(api + path, {
        method,
        headers: { Authorization: `Token ${data.token}`, 'Content-Type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body)
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
    return text ? JSON.parse(text) : null;
}

export const setEnabled = (feature, enabled) =>
    call('PATCH', `environments/${clientKey}/featurestates/${data.feature_states[feature]}/`, { enabled });

/** The stored identity of exactly this name, or undefined. */
export async function storedIdentity(identifier) {
    const page = await call('GET', `environments/${clientKey}/identities/?q=${encodeURIComponent(`"${identifier}"`)}`);
    return page.results.find((one) => one.identifier === identifier);
}

const COLUMNS = { int: 'integer_value', unicode: 'string_value', bool: 'boolean_value', float: 'float_value' };

/** key -> value of what is stored, or undefined when there is no such identity. */
export async function storedTraits(identifier) {
    const identity = await storedIdentity(identifier);
    if (!identity) return undefined;
    const page = await call('GET', `environments/${clientKey}/identities/${identity.id}/traits/`);
    return Object.fromEntries(page.results.map((one) => [one.trait_key, one[COLUMNS[one.value_type]]]));
}

/** Wait until check() is true; fails after so many seconds. */
export async function within(seconds, check) {
    const until = Date.now() + seconds * 1000;
    while (Date.now() < until) {
        if (await check()) return;
        await new Promise((done) => setTimeout(done, 50));
    }
    assert.fail(`not seen within ${seconds} seconds`);
}
