// The Linux half of this package is not in the published module; this is ours, with the same names.

package osspecific

import (
	"os"
	"syscall"

	"github.com/argoproj/argo-workflows/v3/util/errors"
)

// Term asks a process to end.
var Term = syscall.SIGTERM

// CanIgnoreSignal tells signals that mean nothing to the step's command: the death of a child, and
// what the Go runtime uses for its own scheduling.
func CanIgnoreSignal(s os.Signal) bool {
	return s == syscall.SIGCHLD || s == syscall.SIGURG
}

// Setpgid has a process lead a group of its own, so that Kill reaches its children too.
func Setpgid(a *syscall.SysProcAttr) {
	a.Setpgid = true
}

// Kill sends a signal to the process group of pid, or to pid alone where it has none any more.
func Kill(pid int, s syscall.Signal) error {
	group, err := syscall.Getpgid(pid)
	if err != nil {
		return syscall.Kill(pid, s)
	}
	return syscall.Kill(-group, s)
}

// Wait returns how the process ended. The executor is process 1 of the container, so it reaps every
// other child that ends meanwhile; os.Process.Wait would leave those as zombies.
func Wait(process *os.Process) error {
	// no process.Release: it forgets the pid, which the executor still sends signals to
	pid := process.Pid
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR || (err == nil && ended != pid):
			continue
		case err != nil:
			return err
		case status.Signaled():
			return errors.NewExitErr(128 + int(status.Signal()))
		default:
			return errors.NewExitErr(status.ExitStatus())
		}
	}
}
