// What Node runs before a program's first line, by NODE_OPTIONS: every connection that would leave this machine goes to the proxy
// named by HTTPS_PROXY instead, whichever way it was opened (http, https, fetch, ws, a library's own agent). A TLS client names the
// host it means while it shakes hands, so the proxy answers as that host. Older versions of Node do not read HTTPS_PROXY themselves.
"use strict";

const net = require("node:net");

const proxy = process.env.HTTPS_PROXY && new URL(process.env.HTTPS_PROXY);
const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\]|0\.0\.0\.0|::)$/i;

if (proxy && LOCAL.test(proxy.hostname)) {
  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...given) {
    const [options, done] = Array.isArray(given[0]) ? given[0] : net._normalizeArgs(given);
    if (options.path || LOCAL.test(options.host || "localhost")) return connect.apply(this, given);
    // The name is not looked up: there is nobody to ask.
    const led = { ...options, host: proxy.hostname, port: Number(proxy.port), lookup: undefined, localAddress: undefined, family: 4 };
    return connect.call(this, led, done);
  };
}
