"""What is copied, by the bytes that are allocated meanwhile: a copy needs memory of its own."""

import os
import shutil
import subprocess
import sys
import textwrap

import pytest

# glibc has its functions under second names too, so that the first may be another's.
COUNTER = """
#include <errno.h>
#include <stddef.h>

void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
static unsigned long bytes;

unsigned long allocated_bytes(void) { return bytes; }
void *malloc(size_t size) { bytes += size; return __libc_malloc(size); }
void *calloc(size_t count, size_t size) { bytes += count * size; return __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { bytes += size; return __libc_realloc(old, size); }
void *memalign(size_t align, size_t size) { bytes += size; return __libc_memalign(align, size); }
void *aligned_alloc(size_t align, size_t size) { return memalign(align, size); }
int posix_memalign(void **to, size_t align, size_t size) { *to = memalign(align, size); return *to ? 0 : ENOMEM; }
"""

CODE = """
import ctypes
import os
from array import array
from mcp_rust_core import StateStore, _calls, dot, moving_mean_sd, xxh3

MIB, SMALL = 1 << 20, 4096
allocated_bytes = ctypes.CDLL(None).allocated_bytes
allocated_bytes.restype = ctypes.c_ulong

def cost(call):
    call()
    before = allocated_bytes()
    call()
    return allocated_bytes() - before

data, text = bytes(MIB), "x" * MIB
floats, doubles = array("f", bytes(MIB)), array("d", bytes(MIB))
query, scores = array("f", bytes(1024)), array("f", bytes(4 * MIB // 1024))
buffers = [data, bytearray(data), memoryview(data), memoryview(bytearray(data)), doubles]
try:
    import numpy
    buffers.append(numpy.zeros(MIB, "u1"))
    assert cost(lambda: _calls.sum_buffer(numpy.frombuffer(data, "f8"))) < SMALL
except ImportError:
    pass

for buffer in buffers:
    assert cost(lambda: xxh3(buffer)) < SMALL, type(buffer)
    assert cost(lambda: _calls.buffer_place(buffer)) < SMALL, type(buffer)
# The ABI of 3.9 has no way to a text's own bytes: there it is encoded, and for some calls kept as text after that.
encoded = MIB if os.environ.get("ABI") == "abi3-py39" else 0
for read in (xxh3, _calls.text_length):
    assert encoded <= cost(lambda: read(text)) < 2 * encoded + SMALL, (read, cost(lambda: read(text)))
assert cost(lambda: xxh3(data, release=True)) < SMALL
assert cost(lambda: _calls.sum_buffer(doubles)) < SMALL
assert cost(lambda: dot(query, floats, scores)) < SMALL
means, deviations = array("d", bytes(MIB - 8)), array("d", bytes(MIB - 8))
assert cost(lambda: moving_mean_sd(doubles, 2, (means, deviations))) < SMALL

# What has to copy, copies once, and the counter sees it.
changing = bytearray(data)
assert MIB <= cost(lambda: xxh3(changing, release=True)) < MIB + SMALL
assert MIB <= cost(lambda: dot(query, floats, scores, release=True)) < MIB + 4 * SMALL
assert MIB <= cost(lambda: _calls.echo_bytes(data)) < MIB + SMALL
store = StateStore(4 * MIB)
# Asking beforehand whether there is room counts as much again, and is given back untouched.
assert 2 * MIB <= cost(lambda: store.set("a", data)) < 2 * MIB + SMALL
assert MIB <= cost(lambda: store.get("a")) < MIB + SMALL
print("counted")
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("cc") is None, reason="needs Linux and a C compiler"
)
def test_buffers_of_a_mebibyte_are_not_copied(tmp_path):
    source, counter = tmp_path / "counter.c", tmp_path / "counter.so"
    source.write_text(COUNTER)
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-w", str(source), "-o", str(counter)], check=True)
    # So that Python's own small objects do not hide in arenas: every allocation is the C library's.
    environment = {**os.environ, "LD_PRELOAD": str(counter), "PYTHONMALLOC": "malloc"}
    command = [sys.executable, "-c", textwrap.dedent(CODE)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50)
    if "__libc_malloc" in done.stderr:
        pytest.skip("the C library has no second names for its functions")
    assert (done.returncode, done.stdout) == (0, "counted\n"), done.stderr
