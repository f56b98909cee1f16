internal import Glibc

/// Signals that would end a hook between two steps.
package enum Signals {
  /// Holds back what a person or a closing terminal sends. SIGKILL is a runtime's last word, and is healed later.
  package static func holdBack() {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in [SIGHUP, SIGINT, SIGPIPE, SIGTERM] { sigaddset(&set, signal) }
    sigprocmask(SIG_BLOCK, &set, nil)
  }
}
