// SPDX-License-Identifier: MIT

//go:build race

package tuntap_test

const raceEnabled = true
