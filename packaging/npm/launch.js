#!/usr/bin/env node
// Starts the program that npm installed for this platform, as the only thing between it and whoever called: its streams
// are the caller's, signals are passed on, and it ends as the program ends.
'use strict';

const { spawn } = require('node:child_process');
const os = require('node:os');
const path = require('node:path');
const tty = require('node:tty');
const about = require('./package.json');

const { program, platforms, install } = about.launcher;
const here = `${process.platform}-${process.arch}`;

// The shell's code for a command that is not there.
const NOT_THERE = 127;

function refuse(sentence) {
  process.stderr.write(`${program}: ${sentence}\n`);
  process.exit(NOT_THERE);
}

// The version of glibc that Node runs with, such as '2.36'; undefined with another C library.
function glibc() {
  if (process.platform !== 'linux') return undefined;
  // Names of hosts would be looked up.
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime;
}

function isOlder(version, needed) {
  const [major, minor] = version.split('.').map(Number);
  const [most, least] = needed.split('.').map(Number);
  return major < most || (major === most && minor < least);
}

// Why the program of a platform that there is one for cannot be started.
function reason(needed) {
  const found = glibc();
  if (found === undefined) {
    return `it needs glibc ${needed} or newer, and this system has another C library (musl, as Alpine Linux). ` +
      `Use an image with glibc, such as debian:bookworm-slim, or build it: ${install}`;
  }
  if (isOlder(found, needed)) {
    return `it needs glibc ${needed} or newer, and this system has ${found}. ` +
      `Use a newer system, or build it here: ${install}`;
  }
  return undefined;
}

function file(platform) {
  try {
    return path.join(path.dirname(require.resolve(`${platform.package}/package.json`)), 'bin', program);
  } catch {
    return refuse(reason(platform.glibc) ?? `the package ${platform.package} is not installed, which holds the ` +
      `program for ${here}. Install ${about.name} again without --omit=optional (or --no-optional)`);
  }
}

const platform = platforms[here];
if (platform === undefined) {
  const known = Object.entries(platforms).map(([name, { glibc }]) => `${name} (glibc ${glibc} or newer)`);
  refuse(`there is no program for ${here}; there are programs for ${known.join(', ')}. ` +
    `Use one of these, such as a container or a virtual machine, or see what can be built: ${install}`);
}

// What a terminal sends reaches the program without us.
const passed = ['SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGCONT', ...(tty.isatty(0) ? [] : ['SIGINT', 'SIGQUIT'])];
const heard = ['SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGCONT', 'SIGINT', 'SIGQUIT'];
// Before the program is there: a signal that comes at once waits for it.
let child;
for (const signal of heard) {
  process.on(signal, () => {
    if (passed.includes(signal)) child.kill(signal);
  });
}

child = spawn(file(platform), process.argv.slice(2), { stdio: 'inherit' });
child.on('error', (error) => {
  refuse(reason(platform.glibc) ?? `it cannot be started: ${error.message}. See ${install}`);
});

child.on('exit', (code, signal) => {
  if (signal !== null) {
    for (const name of heard) process.removeAllListeners(name);
    process.kill(process.pid, signal);
    // Where the signal does not end us, the shell's code for it.
    process.exit(128 + os.constants.signals[signal]);
  }
  // The loader ends with 1, and says which version it lacks.
  const why = code === 1 ? reason(platform.glibc) : undefined;
  if (why !== undefined) refuse(why);
  process.exit(code);
});
