// SPDX-License-Identifier: MIT

// Package private runs tests in a network namespace of their own.
package private

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

const inNamespace = "TUNTAP_TEST_IN_NAMESPACE"

// Namespace runs the tests in another process, which has its own network namespace, and returns their exit code.
// Without root it also has its own user namespace.
func Namespace(run func() int) int {
	if os.Getenv(inNamespace) != "" {
		if err := exec.Command("ip", "link", "set", "lo", "up").Run(); err != nil {
			fmt.Fprintln(os.Stderr, "ip:", err)
			return 1
		}
		return run()
	}
	tests := exec.Command("/proc/self/exe", os.Args[1:]...)
	tests.Args[0] = os.Args[0]
	tests.Env = append(os.Environ(), inNamespace+"=1")
	tests.Stdin, tests.Stdout, tests.Stderr = os.Stdin, os.Stdout, os.Stderr
	tests.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		tests.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		tests.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		tests.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	err := tests.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode()
	case err != nil:
		fmt.Fprintln(os.Stderr, "a network namespace:", err)
		return 1
	}
	return 0
}
