// The event's gate: a CloudFront function for viewer requests, runtime cloudfront-js-2.0.
//
// onair renders it (src/edge/gate.rs): the constants of the runbook are put in at the marked place, sections
// between `//#if` and `//#end` that the runbook has no use for are left out, comments and indents too
// (10,240 bytes is all that CloudFront takes). What it must agree on with the rest of onair:
// revocation keys (src/token/revocation.rs), log digests (src/token/log_digest.rs), and the keys
// EVENT::mode, EVENT::keys and EVENT::log-key of the KeyValueStore (src/token/settings.rs).
//
// The language is what runtime 2.0 has: no classes, spread, destructuring, default parameters,
// for-of, optional chaining, shorthand or catch without a name. A unit test refuses them.
//
// When the store cannot be read: the mode is the runbook's; without keys nothing can be proved, so
// nobody is let in; a token that was proved is let in although its revocation cannot be looked up.
import cf from 'cloudfront';
import crypto from 'crypto';

const C = {/* onair:constants */};
const kvs = cf.kvs();

async function handler(event) {
  const request = event.request;
  // Always taken out, so that the token stays out of the cache key and away from the origin.
  const text = take(request);
  const stored = await read(C.event + '::mode');
  const mode = /^(off|log|enforce)$/.test(stored) ? stored : C.mode;
  // A browser's preflight carries no token, and its answer holds no media.
  if (mode === 'off' || request.method === 'OPTIONS') {
    return request;
  }
  const keys = [];
  let no = null;
  try {
    no = await judge(request, event.viewer.ip, text, keys);
  } catch (error) {
    no = [401, 'malformed'];
  }
  await note(no, mode, keys);
  if (no === null || mode === 'log') {
    return request;
  }
  return {
    statusCode: no[0],
    headers: {
      'cache-control': { value: 'no-store' },
      'x-onair-gate': { value: no[1] },
      'access-control-allow-origin': { value: '*' },
      'access-control-expose-headers': { value: 'x-onair-gate' }
    }
  };
}

// A value of the store; undefined where it is not there or cannot be read.
async function read(key) {
  try {
    return await kvs.get(key);
  } catch (error) {
    return undefined;
  }
}

// The request's token by the first source that has one. Query and path sources give it up.
function take(request) {
  let token = null;
  C.sources.forEach((source) => {
    const name = source[1];
    let text = null;
    //#if pathsource
    if (source[0] === 'path') {
      const end = request.uri.indexOf('/', 1);
      const first = request.uri.substring(1, end);
      if (end > 1 && LOOKS.test(first)) {
        text = first;
        request.uri = request.uri.substring(end);
      }
    }
    //#end
    const fields = { query: request.querystring, cookie: request.cookies, header: request.headers }[source[0]];
    if (fields && fields[name]) {
      text = fields[name].value;
      if (source[0] === 'query') {
        delete fields[name];
      }
    }
    if (text && token === null) {
      text = text.replace(/^bearer\s+/i, '');
      try {
        token = source[0] === 'header' ? text : decodeURIComponent(text);
      } catch (error) {
        token = text;
      }
    }
  });
  return token;
}

// null, or the status and the reason of the refusal. Fills `found` with the revocation keys.
async function judge(request, ip, text, found) {
  const place = located(request.headers);
  //#if rights
  const outside = rights(place);
  if (outside) {
    return [451, outside];
  }
  //#end
  //#if open
  if (!ODD.test(request.uri) && C.open.some((prefix) => request.uri.startsWith(prefix))) {
    return null;
  }
  //#end
  if (!text) {
    return [401, 'no-token'];
  }
  //#if signed
  const keys = JSON.parse((await read(C.event + '::keys')) || '{}');
  Object.keys(keys).forEach((kid) => {
    if (keys[kid].state === 'retired' || !keys[kid].k) {
      delete keys[kid];
    }
  });
  if (!Object.keys(keys).length) {
    return [401, 'no-keys'];
  }
  const token = proved(text, keys);
  if (!token.claims) {
    return [401, token.reason];
  }
  const claims = token.claims;
  const now = Date.now() / 1000;
  const exp = seconds(claims[C.exp]);
  if (exp !== null && now >= exp + C.leeway) {
    return [401, 'expired'];
  }
  const nbf = seconds(claims[C.nbf]);
  if (nbf !== null && now < nbf - C.leeway) {
    return [401, 'not-yet-valid'];
  }
  const bound = fits(claims, request, ip, place);
  //#end
  const candidates = [];
  C.claims.forEach((claim) => {
    // [name in the token, the key's prefix as written, the value's room]
    let value = null;
    if (claim[2] === 0) {
      value = sha256(text);
    }
    //#if signed
    if (claim[2]) {
      value = form(claims[claim[0]]);
      //#if jwt
      if (value === null && claim[0] === 'session' && token.session) {
        value = token.session;
      }
      //#end
      if (value !== null && !(PLAIN.test(value) && value.length <= claim[2])) {
        value = sha256(value);
      }
    }
    //#end
    if (value !== null) {
      candidates.push(claim[1] + value);
    }
  });
  let revoked = false;
  for (let i = 0; i < candidates.length; i++) {
    found.push(candidates[i]);
    if (await isRevoked(candidates[i], found)) {
      revoked = true;
    }
  }
  if (revoked) {
    return [403, 'revoked'];
  }
  //#if signed
  return bound;
  //#end
  //#if opaque
  return null;
  //#end
}

// A key past its end says nothing; a value that is no time refuses.
async function isRevoked(key, found) {
  try {
    if (!(await kvs.exists(key))) {
      return false;
    }
    const end = await kvs.get(key);
    return !/^[0-9]{1,15}$/.test(end) || Date.now() / 1000 < Number(end);
  } catch (error) {
    found.unread = true;
    return false;
  }
}

// One field of the log: version, verdict, reason, mode, then a keyed digest for each revocation key.
async function note(no, mode, keys) {
  const parts = ['1', no ? (mode === 'log' ? 'would-deny' : 'deny') : 'allow', no ? no[1] : keys.unread ? 'unread' : 'ok', mode];
  const secret = await read(C.event + '::log-key');
  if (secret) {
    keys.forEach((key) => {
      parts.push(hmac(Buffer.from(secret, 'base64url'), key).substring(0, 22));
    });
  }
  try {
    // 800 bytes are kept; none of these characters is escaped.
    cf.logCustomData(parts.join('.').substring(0, 800));
  } catch (error) {
    return;
  }
}

function located(headers) {
  const value = (name) => headers['cloudfront-viewer-' + name] ? headers['cloudfront-viewer-' + name].value : '';
  return { country: value('country'), region: value('country-region'), metro: value('metro-code'), asn: value('asn') };
}

//#if rights
// Why the runbook keeps this place out. An unknown place is out of an allow list, and in no block list.
function rights(place) {
  let no = null;
  C.states.forEach((rule) => {
    if (place.country === rule[0] && rule[2].includes(place.region) !== rule[1]) {
      no = 'state';
    }
  });
  if (C.metros && place.country === 'US' && C.metros[1].includes(place.metro) !== C.metros[0]) {
    no = 'metro';
  }
  return no;
}
//#end

function sha256(text) {
  return 'sha256=' + crypto.createHash('sha256').update(text).digest('base64url');
}

function hmac(key, text) {
  return crypto.createHmac('sha256', key).update(text).digest('base64url');
}

const PLAIN = /^[A-Za-z0-9._~@-]+$/;
//#if pathsource
//#if jwt
const LOOKS = /^([\w-]+\.)?eyJ[\w-]*\.[\w-]+\.[\w-]+$/;
//#end
//#if cat
const LOOKS = /^(2D3R|0Y[QR])[\w+%=-]+$/;
//#end
//#if opaque
// Nothing tells an opaque token from a folder but its length.
const LOOKS = /^[\w.~+=%-]{16,}$/;
//#end
//#end
// Paths that an origin may read as other paths than they look like.
const ODD = /%2e|%2f|%5c|\\|\/\.{1,2}(\/|$)/i;

//#if signed
function seconds(value) {
  if (value === undefined) {
    return null;
  }
  if (typeof value !== 'number' || !isFinite(value)) {
    throw new Error('time');
  }
  return value;
}

// The text form of a claim's value, as the rule of revocation keys has it.
function form(value) {
  if (typeof value === 'string') {
    return value;
  }
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? String(value) : null;
  }
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : null;
}

function list(value) {
  return Array.isArray(value) ? value : [value];
}

function within(codes, place) {
  return list(codes).some((code) => code === place.country || code === place.country + '-' + place.region);
}
//#end

//#if network
// Whether the viewer is in a network: text, or as RFC 9164 writes it in CBOR. How the tags 52 and 54 come out of
// `cf.cwt` is not documented, so both ways are read; a number is an autonomous system.
function inNetwork(entry, ip, place) {
  const address = bytes(ip);
  let prefix = entry;
  let length = null;
  let family = 0;
  if (typeof entry === 'number') {
    return String(entry) === place.asn;
  }
  if (typeof entry === 'string') {
    const halves = entry.split('/');
    prefix = bytes(halves[0]);
    family = prefix.length;
    if (halves.length > 1) {
      length = /^\d{1,3}$/.test(halves[1]) ? Number(halves[1]) : 999;
    }
  }
  //#if cat
  if (prefix.tag !== undefined) {
    family = prefix.tag === 52 ? 4 : prefix.tag === 54 ? 16 : 99;
    prefix = prefix.value;
  }
  if (Array.isArray(prefix) && prefix.length === 2 && prefix[1] instanceof Uint8Array) {
    length = prefix[0];
    prefix = prefix[1];
  } else if (!family) {
    family = prefix.length;
  }
  //#end
  const size = address.length * 8;
  if (length === null) {
    length = size;
  }
  if (!size || (family && family !== address.length) || prefix.length > address.length || !(length >= 0 && length <= size)) {
    return false;
  }
  for (let i = 0; i < length; i++) {
    if ((((prefix[i >> 3] || 0) ^ address[i >> 3]) >> (7 - (i & 7))) & 1) {
      return false;
    }
  }
  return true;
}

// The bytes of an address in text; none where it is not one.
function bytes(text) {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    return text.split('.').map(Number);
  }
  if (!/^[0-9a-f:]+$/i.test(text)) {
    return [];
  }
  const halves = text.split('::').map((half) => {
    const out = [];
    half.split(':').forEach((group) => {
      if (group) {
        out.push(parseInt(group, 16) >> 8, parseInt(group, 16) & 255);
      }
    });
    return out;
  });
  while (halves.length === 2 && halves[0].length + halves[1].length < 16) {
    halves[0].push(0);
  }
  const whole = halves.length === 2 ? halves[0].concat(halves[1]) : halves[0];
  return whole.length === 16 ? whole : [];
}
//#end

//#if jwt
// HS256 alone; `kid` chooses the key, without one every key is tried.
function proved(text, keys) {
  const parts = text.split('.');
  const session = parts.length === 4 ? parts.shift() : null;
  if (parts.length !== 3) {
    return { reason: 'malformed' };
  }
  const header = JSON.parse(Buffer.from(parts[0], 'base64url').toString());
  if (header.alg !== 'HS256' || header.crit !== undefined) {
    return { reason: 'algorithm' };
  }
  const known = Object.keys(keys).filter((kid) => header.kid === undefined || header.kid === kid);
  if (!known.length) {
    return { reason: 'unknown-key' };
  }
  // The signature is compared as text: another spelling of the same bytes is another token.
  if (!known.some((kid) => same(hmac(Buffer.from(keys[kid].k, 'base64url'), parts[0] + '.' + parts[1]), parts[2]))) {
    return { reason: 'signature' };
  }
  const claims = JSON.parse(Buffer.from(parts[1], 'base64url').toString());
  return claims && typeof claims === 'object' ? { claims: claims, session: session } : { reason: 'malformed' };
}

// Takes as long whatever differs.
function same(a, b) {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) {
    difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  }
  return difference === 0;
}

// A claim that the runbook names must be there.
function fits(claims, request, ip, place) {
  //#if path
  if (ODD.test(request.uri) || !list(claims[C.path]).some((prefix) => typeof prefix === 'string' && prefix && request.uri.startsWith(prefix.replace(/\*$/, '')))) {
    return [403, 'path'];
  }
  //#end
  //#if country
  if (!within(claims[C.country], place)) {
    return [451, 'country'];
  }
  //#end
  //#if network
  if (!list(claims[C.network]).some((entry) => typeof entry === 'string' && inNetwork(entry, ip, place))) {
    return [403, 'network'];
  }
  //#end
  //#if agent
  const agent = request.headers['user-agent'];
  if (claims[C.agent] !== sha256(agent ? agent.value : '').substring(7)) {
    return [403, 'user-agent'];
  }
  //#end
  return null;
}
//#end

//#if cat
// COSE_Mac0 with HS256 (5) in base64url or base64. What the MAC does not cover is the key id alone, and it must
// name the key.
function proved(text, keys) {
  const bare = text.replace(/={1,2}$/, '').replace(/\+/g, '-').replace(/\//g, '_');
  const whole = Buffer.from(bare, 'base64url');
  if (whole.toString('base64url') !== bare || whole.length > 1024) {
    return { reason: 'malformed' };
  }
  let reason = 'signature';
  let claims = null;
  Object.keys(keys).forEach((kid) => {
    try {
      const token = cf.cwt.validateToken(whole, { key: Buffer.from(keys[kid].k, 'base64url') });
      const header = token.protectedHeaders;
      const loose = token.unprotectedHeaders || {};
      const named = loose['4'] === undefined ? header['4'] : loose['4'];
      if (String(header['1']) !== '5' || header['2'] !== undefined || Object.keys(loose).some((label) => label !== '4')) {
        reason = 'algorithm';
      } else if (named !== undefined && (typeof named === 'string' ? named : Buffer.from(named).toString()) !== kid) {
        reason = 'unknown-key';
      } else {
        claims = token.payload;
      }
    } catch (error) {
      return;
    }
  });
  return { claims: claims, reason: reason };
}

// Claims that say nothing on who is let in, and those that are checked. Any other number restricts in a way
// that is not known here, and so refuses; names that are no numbers are the issuer's own.
const KNOWN = '1 2 3 4 5 6 7 308 310 311 312 313 314 315 316 320 322 323'.split(' ');

function fits(claims, request, ip, place) {
  const unknown = Object.keys(claims).some((label) => /^-?\d+$/.test(label) && !KNOWN.includes(label) && !C.claims.some((claim) => claim[0] === label));
  if (unknown || (claims['308'] || 0) !== 0 || (claims['310'] === undefined ? 1 : claims['310']) !== 1) {
    return [403, 'unsupported-claim'];
  }
  if ('312' in claims && !Object.keys(claims['312']).every((part) => matches(claims['312'][part], parts(part, request)))) {
    return [403, 'path'];
  }
  if ('313' in claims && !list(claims['313']).includes(request.method)) {
    return [403, 'method'];
  }
  if ('315' in claims && !Object.keys(claims['315']).every((name) => matches(claims['315'][name], request.headers[name.toLowerCase()] ? [request.headers[name.toLowerCase()].value] : []))) {
    return [403, 'header'];
  }
  if ('316' in claims && !within(claims['316'], place)) {
    return [451, 'country'];
  }
  if ('311' in claims && !list(claims['311']).some((entry) => inNetwork(entry, ip, place))) {
    return [403, 'network'];
  }
  return null;
}

// The texts that a part of the URI may be matched as; none for what an edge does not see.
function parts(part, request) {
  const uri = request.uri;
  const cut = uri.lastIndexOf('/');
  const name = uri.substring(cut + 1);
  const dot = name.lastIndexOf('.');
  const host = request.headers.host ? request.headers.host.value.split(':') : [''];
  const scheme = request.headers['cloudfront-forwarded-proto'];
  if (part >= 3 && ODD.test(uri)) {
    return [];
  }
  return {
    '0': [scheme ? scheme.value : 'https'],
    '1': [host[0]],
    '2': [host[1] || '443'],
    '3': [uri],
    '5': [uri.substring(0, cut), uri.substring(0, cut + 1)],
    '6': [name, '/' + name],
    '7': [dot < 0 ? name : name.substring(0, dot)],
    '8': dot < 0 ? [''] : [name.substring(dot), name.substring(dot + 1)]
  }[part] || [];
}

// Every match of the map must hold; regular expressions (4) are not run here, and so refuse.
function matches(wanted, texts) {
  return Object.keys(wanted).every((kind) => texts.some((text) => {
    const value = kind === '-1' ? wanted[kind] : String(wanted[kind]);
    return kind === '0' ? text === value
      : kind === '1' ? text.startsWith(value)
      : kind === '2' ? text.endsWith(value)
      : kind === '3' ? text.includes(value)
      : kind === '-1' ? sha256(text).substring(7) === Buffer.from(value).toString('base64url')
      : false;
  }));
}
//#end
