#!/bin/sh
# Succeed while the bot's engine process exists. The brackets keep grep from finding itself.
grep -qs 'mst_core[.]engine' /proc/[0-9]*/cmdline
