#!/bin/sh
# Prints the path of a Chromium for the browser tests: one that is there, else Debian's package where we may
# install it, else Playwright's own. $1 is the folder of the virtual environment's programs; before it is there, nothing
# is printed where only Playwright has one. The headless shell draws the same pages in four fifths of the processor time.
set -eu
there() {
    for name in chromium-headless-shell chromium chromium-browser google-chrome-stable google-chrome; do
        command -v "$name" && return 0
    done
    return 1
}
there && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium-headless-shell fonts-dejavu-core; } >&2
    there && exit 0
fi
[ $# = 1 ] || exit 0
"$1/playwright" install chromium >&2
"$1/python" -c 'from playwright.sync_api import sync_playwright as p
with p() as browsers: print(browsers.chromium.executable_path)'
