// The module `cloudfront` for Node, as far as the gate uses it: written for the tests and from the
// documents alone, so that it shares nothing with the engine inside onair. CBOR is read by hand.
import crypto from 'node:crypto';

export const state = { items: {}, custom: null };

function item(bytes, at) {
  const kind = bytes[at] >> 5;
  let length = bytes[at] & 31;
  at += 1;
  if (length === 24) {
    length = bytes[at];
    at += 1;
  } else if (length >= 25 && length <= 27) {
    const size = 1 << (length - 24);
    length = Number(BigInt('0x' + bytes.subarray(at, at + size).toString('hex')));
    at += size;
  } else if (length > 27) {
    throw new Error('indefinite lengths are not read');
  }
  if (kind === 0) return [length, at];
  if (kind === 1) return [-1 - length, at];
  if (kind === 2 || kind === 3) {
    const end = at + length;
    if (end > bytes.length) throw new Error('cut off');
    const part = bytes.subarray(at, end);
    if (kind === 2) return [Buffer.from(part), end];
    return [new TextDecoder('utf-8', { fatal: true }).decode(part), end];
  }
  if (kind === 4) {
    const values = [];
    for (let i = 0; i < length; i++) {
      const [value, next] = item(bytes, at);
      values.push(value);
      at = next;
    }
    return [values, at];
  }
  if (kind === 5) {
    const map = {};
    for (let i = 0; i < length; i++) {
      const [key, afterKey] = item(bytes, at);
      const [value, next] = item(bytes, afterKey);
      if (String(key) in map) throw new Error('a label stands twice');
      map[String(key)] = value;
      at = next;
    }
    return [map, at];
  }
  if (kind === 6) {
    const [value, next] = item(bytes, at);
    return [length === 259 || length === 1 ? value : { tag: length, value }, next];
  }
  return [{ 20: false, 21: true, 22: null }[length], at];
}

function whole(bytes) {
  const [value, end] = item(bytes, 0);
  if (end !== bytes.length) throw new Error('bytes follow');
  return value;
}

function head(length, major) {
  if (length < 24) return Buffer.from([(major << 5) | length]);
  if (length < 256) return Buffer.from([(major << 5) | 24, length]);
  return Buffer.from([(major << 5) | 25, length >> 8, length & 255]);
}

function byteString(bytes) {
  return Buffer.concat([head(bytes.length, 2), bytes]);
}

function validateToken(bytes, context) {
  if (bytes.length > 1024) throw new Error('too large');
  let value = whole(Buffer.from(bytes));
  if (value.tag === 61) value = value.value;
  if (value.tag !== 17 || !Array.isArray(value.value) || value.value.length !== 4) throw new Error('not COSE_Mac0');
  const [protectedBytes, unprotectedHeaders, payload, mac] = value.value;
  if (![protectedBytes, payload, mac].every(Buffer.isBuffer)) throw new Error('not COSE_Mac0');
  const protectedHeaders = whole(protectedBytes);
  if (protectedHeaders['1'] !== 5) throw new Error('not HS256');
  if (unprotectedHeaders['4'] !== undefined && !Buffer.isBuffer(unprotectedHeaders['4'])) throw new Error('key id');
  const signed = Buffer.concat([
    head(4, 4), head(4, 3), Buffer.from('MAC0'), byteString(protectedBytes), byteString(Buffer.alloc(0)), byteString(payload),
  ]);
  const expected = crypto.createHmac('sha256', context.key).update(signed).digest();
  if (mac.length !== 32 || !crypto.timingSafeEqual(mac, expected)) throw new Error('MAC');
  return { protectedHeaders, unprotectedHeaders, payload: whole(payload) };
}

export default {
  kvs: () => ({
    get: async (key) => {
      if (!(key in state.items)) throw new Error('not found');
      return state.items[key];
    },
    exists: async (key) => key in state.items,
  }),
  logCustomData: (text) => {
    state.custom = text;
  },
  cwt: { validateToken },
};
