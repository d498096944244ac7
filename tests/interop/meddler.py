"""A proxy on a loopback port that notes every request, and can step in before one or lose the answer of one."""

import fnmatch
import http.client
import http.server
import threading


class Meddler:
    """`with Meddler(port) as meddler:` passes requests on to that port; `meddler.url` is where clients go.

    `before(method, path)` runs before a request is passed on. When `loses(method, path)` is true the request is passed
    on and its answer is not: the client sees the connection break.
    """

    def __init__(self, target, port=0, before=None, loses=None):
        self.target, self.requests = target, []
        self.before, self.loses = before or (lambda *_: None), loses or (lambda *_: False)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self.handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def headers_of(self, method, pattern):
        """Headers of the requests with this method and a path that matches."""
        return [headers for verb, path, headers in self.requests if verb == method and fnmatch.fnmatchcase(path, pattern)]

    def handler(self):
        meddler = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def relay(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                meddler.requests.append((self.command, self.path, self.headers))
                meddler.before(self.command, self.path)
                target = http.client.HTTPConnection("127.0.0.1", meddler.target, timeout=60)
                target.request(self.command, self.path, body, dict(self.headers))
                answer = target.getresponse()
                content = answer.read()
                target.close()
                if meddler.loses(self.command, self.path):
                    self.close_connection = True
                    return
                self.send_response_only(answer.status, answer.reason)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = relay

            def log_message(self, *_):
                pass

        return Handler
