// The published server-side Node SDK against Burgee: remote and local evaluation.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Flagsmith } from 'flagsmith-nodejs';
import { pino } from 'pino';
import { api, clientKey, data, serverKey, setEnabled, storedIdentity, storedTraits, unique, within } from './support.js';

const logger = pino({ level: 'silent' });
const made = [];
function client(environmentKey, options = {}) {
    made.push(new Flagsmith({ environmentKey, apiUrl: api, logger, ...options }));
    return made.at(-1);
}
const local = (options = {}) => client(serverKey, { enableLocalEvaluation: true, ...options });
after(() => Promise.all(made.map((one) => one.close()))); // stops the polling timers, which would keep the process alive

const answers = (flags) =>
    Object.fromEntries(flags.allFlags().map((f) => [f.featureName, { enabled: f.enabled, value: f.value ?? null }]));
const without = (object, names) => Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

test('environment flags', async () => {
    const got = answers(await client(clientKey).getEnvironmentFlags());
    assert.deepEqual(without(got, data.hash_dependent), without(data.defaults, data.server_key_only));
    assert.deepEqual(got.checkout, { enabled: true, value: data.variants.control });
});

test('a server-key-only feature never reaches a client key', async () => {
    const name = unique('node');
    for (const hidden of data.server_key_only) {
        assert.ok(!(hidden in answers(await client(clientKey).getEnvironmentFlags())));
        assert.ok(!(hidden in answers(await client(clientKey).getIdentityFlags(name))));
        assert.ok(hidden in answers(await client(serverKey).getEnvironmentFlags()));
        assert.ok(hidden in answers(await client(serverKey).getIdentityFlags(name)));
    }
});

test('persistent traits are seen by the next call without them', async () => {
    const [sdk, name] = [client(clientKey), unique('node')];
    assert.equal((await sdk.getIdentityFlags(name, { plan: 'pro', logins: 3, beta: true })).getFeatureValue('title'), 'pro title');
    assert.equal((await sdk.getIdentityFlags(name)).getFeatureValue('title'), 'pro title');
    assert.deepEqual(await storedTraits(name), { plan: 'pro', logins: 3, beta: true });
});

test('a trait is updated, and removed by null', async () => {
    const [sdk, name] = [client(clientKey), unique('node')];
    await sdk.getIdentityFlags(name, { plan: 'pro', other: 'stays' });
    assert.equal((await sdk.getIdentityFlags(name, { plan: 'free' })).getFeatureValue('title'), 'default title');
    await sdk.getIdentityFlags(name, { plan: null });
    assert.deepEqual(await storedTraits(name), { other: 'stays' });
});

test('a transient trait is used and not stored', async () => {
    const [sdk, name] = [client(clientKey), unique('node')];
    const flags = await sdk.getIdentityFlags(name, { country: 'fr', plan: { value: 'pro', transient: true } });
    assert.equal(flags.getFeatureValue('title'), 'pro title');
    assert.equal((await sdk.getIdentityFlags(name)).getFeatureValue('title'), 'default title');
    assert.deepEqual(await storedTraits(name), { country: 'fr' });
});

test('a transient identity is evaluated and not stored', async () => {
    const name = unique('node');
    const flags = await client(clientKey).getIdentityFlags(name, { plan: 'pro' }, true);
    assert.equal(flags.getFeatureValue('title'), 'pro title');
    assert.equal(await storedIdentity(name), undefined);
});

test('a wrong key is refused', async () => {
    await assert.rejects(client('no-such-key', { retries: 0 }).getEnvironmentFlags(), (error) => /403/.test(String(error.cause)));
});

for (const [mode, make] of [['remote', () => client(serverKey)], ['local', () => local()]]) {
    test(`${mode}: segment override, and the lower priority number wins`, async () => {
        const [sdk, name] = [make(), unique('node')];
        const pro = await sdk.getIdentityFlags(name, { plan: 'pro' });
        assert.deepEqual([pro.getFeatureValue('title'), pro.getFeatureValue('limit')], ['pro title', 100]);
        const both = await sdk.getIdentityFlags(name, { plan: 'pro', app_version: '2.1.0' });
        assert.deepEqual([both.getFeatureValue('title'), both.getFeatureValue('limit')], ['modern title', 100]);
    });

    test(`${mode}: identity override`, async () => {
        const flags = await make().getIdentityFlags('vip-user', { plan: 'pro' });
        assert.equal(flags.getFeatureValue('title'), 'vip title');
        assert.deepEqual([flags.isFeatureEnabled('limit'), flags.getFeatureValue('limit')], [false, 7]);
    });
}

test('remote and local environment flags agree', async () => {
    const remote = answers(await client(serverKey).getEnvironmentFlags());
    assert.deepEqual(answers(await local().getEnvironmentFlags()), remote);
    assert.deepEqual(without(remote, data.hash_dependent), data.defaults);
});

test('every context agrees between remote and local, and is as expected', async () => {
    const [far, near] = [client(serverKey), local()];
    for (const { identifier, traits, expect } of data.contexts) {
        const remote = answers(await far.getIdentityFlags(identifier, traits));
        const here = `${identifier} ${JSON.stringify(traits)}`;
        assert.deepEqual(answers(await near.getIdentityFlags(identifier, traits)), remote, `remote and local differ: ${here}`);
        assert.deepEqual(Object.fromEntries(Object.keys(expect).map((name) => [name, remote[name]])), expect, `unexpected: ${here}`);
        assert.deepEqual(Object.keys(remote).sort(), Object.keys(data.features).sort(), here);
    }
});

test('multivariate and percentage splits agree for 200 identities', async () => {
    const [far, near] = [client(serverKey), local()];
    const counts = {};
    for (const identifier of data.split_identifiers) {
        const remote = answers(await far.getIdentityFlags(identifier));
        const here = answers(await near.getIdentityFlags(identifier));
        for (const name of data.hash_dependent) assert.deepEqual(here[name], remote[name], `${name} for ${identifier}`);
        counts[remote.checkout.value] = (counts[remote.checkout.value] ?? 0) + 1;
    }
    assert.deepEqual(Object.keys(counts).sort(), Object.values(data.variants).sort());
});

test('the document carries what the segments of an identity need', async () => {
    const names = (await local().getIdentitySegments(unique('node'), { plan: 'pro', country: 'de', banned: true })).map((s) => s.name);
    assert.ok(names.includes('pro'));
    assert.ok(!names.includes('dach'));
});

test('polling sees a change', async () => {
    const sdk = local({ environmentRefreshIntervalSeconds: 0.5 });
    try {
        assert.equal((await sdk.getEnvironmentFlags()).isFeatureEnabled('flip'), false);
        await setEnabled('flip', true);
        await within(5, async () => (await sdk.getEnvironmentFlags()).isFeatureEnabled('flip'));
    } finally {
        await setEnabled('flip', false);
    }
});

test('analytics are accepted', async () => {
    const sdk = client(clientKey, { enableAnalytics: true });
    const posted = [];
    sdk.analyticsProcessor.customFetch = async (...request) => posted[posted.push(await fetch(...request)) - 1];
    const flags = await sdk.getEnvironmentFlags();
    for (const name of ['title', 'title', 'limit']) flags.getFlag(name);
    await sdk.analyticsProcessor.flush();
    assert.deepEqual(posted.map((answer) => answer.status), [200]);
});
