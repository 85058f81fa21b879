#!/bin/sh
# Healthy: the bot has its warm engine process beside it. The brackets keep grep from finding itself.
grep -qs 'mst_core[.]engine' /proc/[0-9]*/cmdline
