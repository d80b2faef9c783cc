// What a CloudFront function finds in runtime cloudfront-js-2.0, on top of `native` (src/edge/engine.rs). Bytes
// travel between the two as text with one character a byte. Evaluated before the function, out of its reach.
(function (native) {
  'use strict';
  const asked = [];
  native.asked = asked;

  function bytesOf(binary) {
    const bytes = new Buffer(binary.length);
    for (let i = 0; i < binary.length; i++) {
      bytes[i] = binary.charCodeAt(i);
    }
    return bytes;
  }

  function binaryOf(bytes) {
    let binary = '';
    for (let i = 0; i < bytes.length; i++) {
      binary += String.fromCharCode(bytes[i]);
    }
    return binary;
  }

  function binary(value, encoding) {
    if (typeof value === 'string') {
      return native.decode(value, encoding || 'utf8');
    }
    if (value instanceof ArrayBuffer) {
      return binaryOf(new Uint8Array(value));
    }
    if (ArrayBuffer.isView(value)) {
      return binaryOf(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    }
    throw new TypeError('the value is neither a string nor bytes');
  }

  class Buffer extends Uint8Array {
    static from(value, encoding, length) {
      if (typeof value === 'string') {
        return bytesOf(native.decode(value, encoding || 'utf8'));
      }
      if (value instanceof ArrayBuffer) {
        return new Buffer(value, encoding, length);
      }
      if (ArrayBuffer.isView(value) || Array.isArray(value)) {
        const bytes = new Buffer(value.length);
        bytes.set(value);
        return bytes;
      }
      throw new TypeError('the value is neither a string nor bytes');
    }
    static alloc(size, fill, encoding) {
      const bytes = new Buffer(size);
      return fill === undefined ? bytes : bytes.fill(typeof fill === 'string' ? Buffer.from(fill, encoding)[0] : fill);
    }
    static allocUnsafe(size) {
      return new Buffer(size);
    }
    static byteLength(value, encoding) {
      return typeof value === 'string' ? native.decode(value, encoding || 'utf8').length : value.byteLength;
    }
    static isBuffer(value) {
      return value instanceof Buffer;
    }
    static isEncoding(name) {
      return ['utf8', 'utf-8', 'hex', 'base64', 'base64url'].includes(String(name).toLowerCase());
    }
    static concat(list, total) {
      const whole = new Buffer(list.reduce((sum, one) => sum + one.length, 0));
      let at = 0;
      list.forEach((one) => {
        whole.set(one, at);
        at += one.length;
      });
      return total === undefined ? whole : whole.slice(0, total);
    }
    static compare(a, b) {
      for (let i = 0; i < Math.min(a.length, b.length); i++) {
        if (a[i] !== b[i]) {
          return a[i] < b[i] ? -1 : 1;
        }
      }
      return Math.sign(a.length - b.length);
    }
    compare(other) {
      return Buffer.compare(this, other);
    }
    equals(other) {
      return Buffer.compare(this, other) === 0;
    }
    slice(start, end) {
      return this.subarray(start, end);
    }
    toString(encoding, start, end) {
      return native.encode(binaryOf(this.subarray(start, end)), encoding || 'utf8');
    }
    toJSON() {
      return { type: 'Buffer', data: Array.from(this) };
    }
  }

  function digester(name, key) {
    let message = '';
    let done = false;
    if (String(name).toLowerCase() !== 'sha256') {
      throw new TypeError('the embedded engine has sha256 alone, not "' + name + '"');
    }
    return {
      update(data, encoding) {
        if (done) {
          throw new Error('Digest already called');
        }
        message += binary(data, encoding);
        return this;
      },
      digest(encoding) {
        if (done) {
          throw new Error('Digest already called');
        }
        done = true;
        const bytes = bytesOf(native.sha256(key === null ? 0 : 1, key || '', message));
        return encoding === undefined ? bytes : bytes.toString(encoding);
      },
    };
  }

  // Marks of bytes in what comes from `native` as JSON become Buffers.
  function revived(value) {
    if (Array.isArray(value)) {
      return value.map(revived);
    }
    if (value && typeof value === 'object') {
      if (typeof value.$bytes === 'string') {
        return Buffer.from(value.$bytes, 'hex');
      }
      Object.keys(value).forEach((key) => {
        value[key] = revived(value[key]);
      });
    }
    return value;
  }

  function ask(kind, key) {
    return new Promise((resolve, reject) => {
      asked.push({ kind: kind, key: String(key), resolve: resolve, reject: reject });
    });
  }

  const store = {
    get(key, options) {
      return ask('get', key).then((value) => {
        const format = options && options.format ? options.format : 'string';
        return format === 'json' ? JSON.parse(value) : format === 'bytes' ? Buffer.from(value) : value;
      });
    },
    exists(key) {
      return ask('exists', key);
    },
    meta() {
      return ask('meta', '').then((text) => JSON.parse(text));
    },
  };

  const querystring = {
    escape: encodeURIComponent,
    unescape: decodeURIComponent,
    parse(text, separator, equals) {
      const out = {};
      text.split(separator || '&').filter((one) => one).forEach((one) => {
        const at = one.indexOf(equals || '=');
        const name = decodeURIComponent((at < 0 ? one : one.slice(0, at)).replace(/\+/g, ' '));
        const value = at < 0 ? '' : decodeURIComponent(one.slice(at + 1).replace(/\+/g, ' '));
        out[name] = name in out ? [].concat(out[name], value) : value;
      });
      return out;
    },
    stringify(fields, separator, equals) {
      return Object.keys(fields).map((name) => [].concat(fields[name])
        .map((value) => encodeURIComponent(name) + (equals || '=') + encodeURIComponent(value))
        .join(separator || '&')).join(separator || '&');
    },
  };
  querystring.decode = querystring.parse;
  querystring.encode = querystring.stringify;

  // Time stands still while a function runs.
  const RealDate = Date;
  class FrozenDate extends RealDate {
    constructor(...parts) {
      if (parts.length === 0) {
        super(native.now);
      } else {
        super(...parts);
      }
    }
    static now() {
      return native.now;
    }
  }

  Object.assign(globalThis, {
    Buffer: Buffer,
    Date: FrozenDate,
    atob: (text) => native.decode(text, 'base64'),
    btoa: (text) => native.encode(text, 'base64'),
    console: {
      log: (...parts) => {
        native.log(parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part) || String(part))).join(' '));
      },
    },
  });
  console.error = console.log;
  delete globalThis.eval;

  native.modules = {
    cloudfront: {
      kvs: () => store,
      edgeLocation: native.edge,
      logCustomData: (text) => native.custom(String(text)),
      cwt: {
        validateToken: (token, context) => revived(JSON.parse(native.cwt(binary(token), binary(context.key)))),
      },
    },
    crypto: {
      createHash: (name) => digester(name, null),
      createHmac: (name, key) => digester(name, binary(key)),
    },
    querystring: querystring,
  };
});
