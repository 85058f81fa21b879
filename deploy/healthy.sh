#!/bin/sh
# Succeed while the bot is ready, which /readyz says if there is a MST_HEALTH_PORT; without one, while
# the engine process exists (the brackets keep grep from finding itself).
if [ "${MST_HEALTH_PORT:-0}" = 0 ]; then
    exec grep -qs 'mst_core[.]engine' /proc/[0-9]*/cmdline
fi
exec python3 -c 'import http.client, sys
ask = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=4)
ask.request("GET", "/readyz")
sys.exit(ask.getresponse().status != 200)' "$MST_HEALTH_PORT" 2>/dev/null
