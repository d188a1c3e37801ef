"""A registry of npm on this machine, with the packages of one directory, so that `npx NAME` can be tried as it is typed."""

import base64
import hashlib
import http.server
import json
import pathlib
import tarfile
import threading
import urllib.parse


def manifest(package):
    """package.json in a package."""
    with tarfile.open(package) as archive:
        return json.load(archive.extractfile("package/package.json"))


class Registry:
    """Serves every .tgz of `directory` on a loopback port while it is entered; whatever else is asked for is not there."""

    def __init__(self, directory):
        self.packages = {file.name: file for file in pathlib.Path(directory).glob("*.tgz")}
        self.manifests = {name: manifest(file) for name, file in self.packages.items()}
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = registry.answer(urllib.parse.unquote(self.path).strip("/"))
                self.send_response(404 if body is None else 200)
                self.send_header("content-length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"

    def answer(self, path):
        """The bytes of a package, or the document of a name; None for what is not there."""
        if path in self.packages:
            return self.packages[path].read_bytes()
        versions = {}
        for file, described in self.manifests.items():
            if described["name"] == path:
                digest = base64.b64encode(hashlib.sha512(self.packages[file].read_bytes()).digest()).decode()
                distribution = {"tarball": self.url + file, "integrity": f"sha512-{digest}"}
                versions[described["version"]] = {**described, "dist": distribution}
        if not versions:
            return None
        return json.dumps({"name": path, "dist-tags": {"latest": max(versions)}, "versions": versions}).encode()

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exception):
        self.server.shutdown()
        self.server.server_close()
