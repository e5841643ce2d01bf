#!/usr/bin/env node
// The command `millrace`, as package.json names it; what it does is in `command/`.
import './command/main.js'
