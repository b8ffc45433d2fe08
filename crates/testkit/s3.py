"""A store that speaks S3, for tests: OpenStack Swift with its s3api, all of it in
one process. It checks signatures, regions and dates by code that shares nothing
with ours.

Needs Debian's python3-swift (for /usr/bin/python3). Prints its port once it
answers, and one behind which nobody is asked who they are (to look into it), serves on loopback until its standard input ends, and takes its folder
away. `--clock SECONDS` sets the clock that requests are judged by forward;
`--domain NAME` is the name below which a host's name is a bucket.

There are the buckets `magpie`, `shown` and `127`; test:keeper may do everything,
test:reader may read `shown` and nothing else. The keys are `s3cret`.
"""

import argparse
import os
import shutil
import socket
import sys
import tempfile

import eventlet

eventlet.monkey_patch()

from eventlet import wsgi  # noqa: E402
from swift.common import storage_policy, utils  # noqa: E402
from swift.common.middleware.s3api.utils import S3Timestamp  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.swob import Request  # noqa: E402
from swift.common.wsgi import loadapp  # noqa: E402

BACKEND = """
[app:main]
use = egg:swift#{kind}
devices = {folder}
mount_check = false
disable_fallocate = true
log_level = CRITICAL
fallocate_reserve = 0
"""

# Without `auth` it is the door by which buckets are made.
PROXY = """
[pipeline:main]
pipeline = catch_errors {auth} slo proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
swift_dir = {folder}
log_level = CRITICAL

[filter:catch_errors]
use = egg:swift#catch_errors

[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = us-east-1
storage_domain = {domain}
min_segment_size = 5242880
check_bucket_owner = false
max_bucket_listing = 100

[filter:tempauth]
use = egg:swift#tempauth
user_test_keeper = s3cret .admin
user_test_reader = s3cret

[filter:slo]
use = egg:swift#slo
"""


class Cache:
    """What a memcached would be, which Swift's sign-in insists on. Keeps nothing."""

    def get(self, *_, **__):
        return None

    def set(self, *_, **__):
        pass

    delete = set_multi = set

    def get_multi(self, keys, *_, **__):
        return [None for _ in keys]

    def incr(self, *_, **__):
        return 1


def cached(app):
    cache = Cache()

    def answer(env, start_response):
        env["swift.cache"] = cache
        return app(env, start_response)

    return answer


class Silent:
    def write(self, *_):
        pass

    def flush(self):
        pass


def listen():
    listener = eventlet.listen(("127.0.0.1", 0), backlog=1024)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener, listener.getsockname()[1]


def serve(listener, app):
    pool = eventlet.GreenPool(4096)
    eventlet.spawn(wsgi.server, listener, app, Silent(), custom_pool=pool, debug=False, log_output=False)


def load(folder, name, text):
    path = os.path.join(folder, name + ".conf")
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return loadapp(path)


def ring(folder, kind, port):
    builder = RingBuilder(part_power=1, replicas=1, min_part_hours=0)
    at = {"ip": "127.0.0.1", "port": port, "replication_ip": "127.0.0.1", "replication_port": port}
    builder.add_dev({"region": 1, "zone": 1, "weight": 1, "device": "disk", **at})
    builder.rebalance()
    builder.get_ring().save(os.path.join(folder, kind + ".ring.gz"))


def make(door, path, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = Request.blank("/v1/" + path, environ={"REQUEST_METHOD": "PUT"}, headers=headers).get_response(door)
    if answer.status_int // 100 != 2:
        raise SystemExit(f"{path} cannot be made: {answer.status}")


def start(folder, clock, domain):
    utils.HASH_PATH_PREFIX, utils.HASH_PATH_SUFFIX = b"magpie", b"magpie"
    utils.SWIFT_CONF_FILE = storage_policy.utils.SWIFT_CONF_FILE = os.path.join(folder, "swift.conf")
    os.mkdir(os.path.join(folder, "disk"))
    for kind, egg in (("account", "account"), ("container", "container"), ("object", "mem_object")):
        listener, port = listen()
        ring(folder, kind, port)
        serve(listener, load(folder, kind, BACKEND.format(kind=egg, folder=folder)))
    door = load(folder, "door", PROXY.format(folder=folder, domain=domain, auth=""))
    for bucket in ("magpie", "magpie+segments", "shown", "127"):
        make(door, "AUTH_test/" + bucket)
    make(door, "AUTH_test/shown", X_Container_Read="test:reader")
    app = cached(load(folder, "proxy", PROXY.format(folder=folder, domain=domain, auth="s3api tempauth")))
    if clock:
        now = S3Timestamp.now.__func__
        S3Timestamp.now = classmethod(lambda kind: kind(float(now(kind)) + clock))
    ports = []
    for served in (app, door):
        listener, port = listen()
        serve(listener, served)
        ports.append(str(port))
    return " ".join(ports)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--clock", type=int, default=0)
    options.add_argument("--domain", default="localhost")
    asked = options.parse_args()
    folder = tempfile.mkdtemp(prefix="magpie-s3-")
    try:
        print(start(folder, asked.clock, asked.domain), flush=True)
        # Whoever started it holds the other end, however it ends.
        eventlet.tpool.execute(sys.stdin.buffer.raw.read, 1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


main()
