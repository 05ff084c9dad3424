// Identity providers on this machine, for the browser to go to and come back from: one that speaks OpenID Connect, one SAML.
import { execFileSync } from "node:child_process";
import { createHash, createSign, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";

const CLIENT = { id: "burgee-client", secret: "hush" };

async function serve(handle) {
  const server = createServer(async (request, response) => {
    const body = await new Response(request).text();
    handle(new URL(request.url, `http://${request.headers.host}`), new URLSearchParams(body), response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, stop };
}

function answer(response, body) {
  response.writeHead(body ? 200 : 400, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body ?? { error: "invalid_request" }));
}

const base64 = (text) => Buffer.from(text).toString("base64url");

/** An OpenID Connect provider at which `person` is signed in; `environment` makes the program know it. */
export async function openIdProvider(person) {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const asked = new Map();
  const idToken = (nonce) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: provider.url,
      aud: CLIENT.id,
      nonce,
      iat: now,
      exp: now + 300,
      email_verified: true,
      ...person,
    };
    const content = `${base64(JSON.stringify({ alg: "ES256", kid: "1" }))}.${base64(JSON.stringify(claims))}`;
    const signature = sign("sha256", Buffer.from(content), { key: privateKey, dsaEncoding: "ieee-p1363" });
    return `${content}.${signature.toString("base64url")}`;
  };
  const token = (form) => {
    const request = asked.get(form.get("code"));
    asked.delete(form.get("code"));
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    const fits =
      request?.get("code_challenge") === challenge &&
      request.get("redirect_uri") === form.get("redirect_uri") &&
      form.get("client_secret") === CLIENT.secret;
    return fits && { access_token: "x", token_type: "Bearer", id_token: idToken(request.get("nonce")) };
  };
  const provider = await serve((url, form, response) => {
    if (url.pathname === "/.well-known/openid-configuration") {
      return answer(response, {
        issuer: provider.url,
        authorization_endpoint: `${provider.url}/authorize`,
        token_endpoint: `${provider.url}/token`,
        jwks_uri: `${provider.url}/keys`,
      });
    }
    if (url.pathname === "/keys") {
      const key = { ...publicKey.export({ format: "jwk" }), kid: "1", alg: "ES256", use: "sig" };
      return answer(response, { keys: [key] });
    }
    if (url.pathname === "/token") return answer(response, token(form));
    const code = randomUUID();
    asked.set(code, url.searchParams);
    const back = new URL(url.searchParams.get("redirect_uri"));
    back.search = new URLSearchParams({ code, state: url.searchParams.get("state") });
    response.writeHead(302, { Location: back.href }).end();
  });
  const environment = {
    BURGEE_SIGN_IN_OIDC_ISSUER_URL: provider.url,
    BURGEE_SIGN_IN_OIDC_CLIENT_ID: CLIENT.id,
    BURGEE_SIGN_IN_OIDC_CLIENT_SECRET: CLIENT.secret,
    BURGEE_SIGN_IN_OIDC_LABEL: "Acme",
  };
  return { ...provider, environment };
}

function signer() {
  const directory = mkdtempSync(join(tmpdir(), "burgee-idp-"));
  const [key, certificate] = ["key.pem", "certificate.pem"].map((name) => join(directory, name));
  const what = ["-newkey", "rsa:2048", "-nodes", "-subj", "/CN=idp", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...what, "-keyout", key, "-out", certificate], {
    stdio: "ignore",
  });
  const made = {
    key: readFileSync(key),
    certificate: readFileSync(certificate, "utf8").replace(/-----.*?-----|\s/g, ""),
  };
  rmSync(directory, { recursive: true });
  return made;
}

const ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion";
const PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol";
const DSIG = "http://www.w3.org/2000/09/xmldsig#";
const C14N = "http://www.w3.org/2001/10/xml-exc-c14n#";

/** Signs an element that is written as exclusive canonicalisation writes it, after its issuer. */
function signed({ key, certificate }, id, element) {
  const digest = createHash("sha256").update(element).digest("base64");
  const method = (name, algorithm) => `<ds:${name} Algorithm="${algorithm}"></ds:${name}>`;
  const inner = `${method("CanonicalizationMethod", C14N)}${method("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")}<ds:Reference URI="#${id}"><ds:Transforms>${method("Transform", `${DSIG}enveloped-signature`)}${method("Transform", C14N)}</ds:Transforms>${method("DigestMethod", "http://www.w3.org/2001/04/xmlenc#sha256")}<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>`;
  const value = createSign("RSA-SHA256")
    .update(`<ds:SignedInfo xmlns:ds="${DSIG}">${inner}`)
    .sign(key, "base64");
  const signature = `<ds:Signature xmlns:ds="${DSIG}"><ds:SignedInfo>${inner}<ds:SignatureValue>${value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>${certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>`;
  return element.replace("</saml:Issuer>", `</saml:Issuer>${signature}`);
}

function response(keys, { issuer, audience, acs, inResponseTo, email, attributes }) {
  const at = (seconds) => new Date(Date.now() + seconds * 1000).toISOString();
  const id = `_${randomUUID()}`;
  const said = Object.entries(attributes)
    .map(
      ([name, value]) =>
        `<saml:Attribute Name="${name}"><saml:AttributeValue>${value}</saml:AttributeValue></saml:Attribute>`,
    )
    .join("");
  const assertion = `<saml:Assertion xmlns:saml="${ASSERTION}" ID="${id}" IssueInstant="${at(0)}" Version="2.0"><saml:Issuer>${issuer}</saml:Issuer><saml:Subject><saml:NameID>${email}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData InResponseTo="${inResponseTo}" NotOnOrAfter="${at(300)}" Recipient="${acs}"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="${at(-10)}" NotOnOrAfter="${at(300)}"><saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="${at(0)}"></saml:AuthnStatement><saml:AttributeStatement>${said}</saml:AttributeStatement></saml:Assertion>`;
  return `<samlp:Response xmlns:samlp="${PROTOCOL}" Destination="${acs}" ID="_${randomUUID()}" InResponseTo="${inResponseTo}" IssueInstant="${at(0)}" Version="2.0"><saml:Issuer xmlns:saml="${ASSERTION}">${issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status>${signed(keys, id, assertion)}</samlp:Response>`;
}

/** A SAML identity provider at which somebody is signed in, who comes back at once. */
export async function samlProvider(person) {
  const keys = signer();
  const provider = await serve((url, _, answer) => {
    const request = inflateRawSync(Buffer.from(url.searchParams.get("SAMLRequest"), "base64")).toString();
    const of = (pattern) => pattern.exec(request)?.[1];
    const acs = of(/AssertionConsumerServiceURL="([^"]+)"/);
    const xml = response(keys, {
      issuer: `${provider.url}/metadata`,
      audience: of(/Issuer[^>]*>([^<]+)</),
      acs,
      inResponseTo: of(/ ID="([^"]+)"/),
      ...person,
    });
    answer.writeHead(200, { "Content-Type": "text/html" });
    answer.end(
      `<form method="post" action="${acs}"><input name="SAMLResponse" value="${Buffer.from(xml).toString("base64")}">` +
        `<input name="RelayState" value="${url.searchParams.get("RelayState") ?? ""}"></form><script>document.forms[0].submit()</script>`,
    );
  });
  const metadata =
    `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${provider.url}/metadata">` +
    `<IDPSSODescriptor protocolSupportEnumeration="${PROTOCOL}"><KeyDescriptor use="signing"><KeyInfo xmlns="${DSIG}">` +
    `<X509Data><X509Certificate>${keys.certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>` +
    `<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${provider.url}/sso"/>` +
    "</IDPSSODescriptor></EntityDescriptor>";
  return { ...provider, metadata };
}
