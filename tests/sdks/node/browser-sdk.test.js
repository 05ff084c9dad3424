// The published browser SDK, its isomorphic build under both of its package names, against Burgee.
// It believes it is in a browser when there is a `window`; everything it takes from one is provided here, before it loads.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { EventSource } from 'eventsource';
import { api, clientKey, data, setEnabled, storedIdentity, storedTraits, unique, within } from './support.js';

globalThis.window = globalThis;
globalThis.EventSource = EventSource;

const made = [];
after(() => {
    for (const one of made) {
        // Timers and the open stream would keep the process alive; the SDK has no call that ends them all.
        clearInterval(one.analyticsInterval);
        one.stopListening();
        one.eventSource?.close();
    }
});

function memoryStorage() {
    const items = new Map();
    return {
        getItem: async (key, done) => (done?.(null, items.get(key) ?? null), items.get(key) ?? null),
        setItem: async (key, value) => void items.set(key, value),
        removeItem: async (key) => void items.delete(key)
    };
}

for (const name of ['@flagsmith/flagsmith', 'flagsmith']) {
    const { createFlagsmithInstance } = await import(`${name}/isomorphic`);

    async function client(options = {}) {
        const sdk = createFlagsmithInstance();
        made.push(sdk);
        await sdk.init({ environmentID: clientKey, api, AsyncStorage: memoryStorage(), ...options });
        return sdk;
    }
    const state = (sdk, flag) => ({ enabled: sdk.hasFeature(flag), value: sdk.getValue(flag) ?? null });

    test(`${name}: environment flags`, async () => {
        const sdk = await client();
        for (const [flag, expected] of Object.entries(data.defaults))
            if (!data.server_key_only.includes(flag)) assert.deepEqual(state(sdk, flag), expected, flag);
        for (const hidden of data.server_key_only) assert.ok(!(hidden in sdk.getAllFlags()));
        assert.equal(sdk.getValue('checkout'), data.variants.control);
    });

    test(`${name}: getFlags sees a change at once`, async () => {
        const sdk = await client();
        try {
            await setEnabled('flip', true);
            await sdk.getFlags();
            assert.equal(sdk.hasFeature('flip'), true);
        } finally {
            await setEnabled('flip', false);
        }
    });

    test(`${name}: identify with traits, then without: the stored ones count`, async () => {
        const [sdk, identifier] = [await client(), unique('browser')];
        await sdk.identify(identifier, { plan: 'pro', logins: 3 });
        assert.equal(sdk.getValue('title'), 'pro title');
        assert.deepEqual(await storedTraits(identifier), { plan: 'pro', logins: 3 });
        const again = await client();
        await again.identify(identifier); // no traits: a GET, not a POST
        assert.equal(again.getValue('title'), 'pro title');
        assert.deepEqual([again.getTrait('plan'), again.getTrait('logins')], ['pro', 3]);
    });

    test(`${name}: setTrait and logout`, async () => {
        const [sdk, identifier] = [await client(), unique('browser')];
        await sdk.identify(identifier);
        await sdk.setTrait('plan', 'pro');
        assert.equal(sdk.getValue('title'), 'pro title');
        await sdk.logout();
        assert.equal(sdk.getValue('title'), 'default title');
    });

    test(`${name}: transient trait`, async () => {
        const [sdk, identifier] = [await client(), unique('browser')];
        await sdk.identify(identifier, { country: 'fr', plan: { value: 'pro', transient: true } });
        assert.equal(sdk.getValue('title'), 'pro title');
        assert.deepEqual(await storedTraits(identifier), { country: 'fr' });
    });

    test(`${name}: transient identity`, async () => {
        const [sdk, identifier] = [await client(), unique('browser')];
        await sdk.identify(identifier, { plan: 'pro' }, true);
        assert.equal(sdk.getValue('title'), 'pro title');
        assert.equal(await storedIdentity(identifier), undefined);
        await sdk.identify(unique('browser'), undefined, true); // no traits: GET with &transient=true
        assert.equal(sdk.getValue('title'), 'default title');
    });

    test(`${name}: no identifier at all, only traits`, async () => {
        const sdk = await client({ evaluationContext: { environment: { apiKey: clientKey }, identity: { traits: { plan: { value: 'pro' } } } } });
        assert.equal(sdk.getValue('title'), 'pro title');
    });

    test(`${name}: every context is as expected`, async () => {
        const sdk = await client();
        for (const { identifier, traits, expect } of data.contexts) {
            await sdk.identify(identifier, traits);
            for (const [flag, expected] of Object.entries(expect))
                if (!data.server_key_only.includes(flag)) assert.deepEqual(state(sdk, flag), expected, `${flag} for ${identifier}`);
        }
    });

    test(`${name}: analytics are accepted`, async () => {
        const posted = [];
        const spy = async (url, init) => {
            const answer = await fetch(url, init);
            if (String(url).includes('analytics')) posted.push(answer.status);
            return answer;
        };
        const sdk = await client({ enableAnalytics: true, fetch: spy });
        sdk.getValue('title');
        sdk.hasFeature('bool_on');
        await sdk.analyticsFlags();
        assert.deepEqual(posted, [200]);
    });

    test(`${name}: realtime brings a change within five seconds`, async () => {
        const sdk = await client({ realtime: true, eventSourceUrl: `${data.base}/` });
        assert.ok(sdk.eventSource, 'the SDK opened no stream');
        try {
            for (const enabled of [true, false, true]) {
                await setEnabled('flip', enabled);
                await within(5, () => sdk.hasFeature('flip') === enabled);
            }
        } finally {
            sdk.eventSource.close();
            await setEnabled('flip', false);
        }
    });
}
