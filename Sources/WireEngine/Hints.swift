internal import Glibc
package import WireCore
package import WireLinux
package import WireNFTables
package import WireNetlink
package import WireOVSDB
package import WireState

/// Turns what the kernel, a file or the database refused into a line that says what to do.
package enum Hints {
  package static func explain(_ error: SystemError, while what: String) -> WireError {
    WireError(what, error.description, hint: hint(errno: error.errno))
  }

  package static func explain(_ error: NetlinkError, while what: String) -> WireError {
    WireError(what, error.description, hint: hint(error))
  }

  package static func explain(_ error: NFTablesError, while what: String) -> WireError {
    WireError(what, error.description, hint: hint(error))
  }

  package static func explain(_ error: OVSDBError, while what: String) -> WireError {
    WireError(what, error.description, hint: hint(error))
  }

  package static func explain(_ error: StateError, in directory: String) -> WireError {
    WireError("the recorded state in \(directory)", error.description, hint: hint(error))
  }

  package static func explain(_ error: StateError) -> WireError {
    WireError("the recorded state", error.description, hint: hint(error))
  }

  /// What helps against an error number, whatever the call was.
  package static func hint(errno: Int32) -> String? {
    switch errno {
    case EPERM, EACCES:
      UserNamespace.isInitial
        ? "run as root, with CAP_NET_ADMIN and CAP_SYS_ADMIN"
        : "a rootless engine's hooks may not change the host's network: use pasta (podman run --network pasta)"
    case ENOSPC: "free some space, or move state_dir"
    case EMFILE, ENFILE: "raise the limit of open files"
    case ENOMEM, ENOBUFS: "the kernel is short of memory"
    case ENETDOWN: "set the link up: ip link set NAME up"
    default: nil
    }
  }

  /// What helps against what rtnetlink refused.
  package static func hint(_ error: NetlinkError) -> String? {
    if case .unsettled = error { return "many come and go at once: try again" }
    guard case .refused(let refusal) = error else { return error.errno.flatMap { hint(errno: $0) } }
    switch refusal.errno {
    case EOPNOTSUPP: return "this kernel lacks a part of it; wirehook doctor says which module to load"
    case EXFULL:
      return "the bridge has all the ports that the kernel gives one (1023): use another network"
    case ENETUNREACH, EHOSTUNREACH:
      return "the gateway must lie on a prefix of the interface"
    default: return hint(errno: refusal.errno)
    }
  }

  /// What helps against what nf_tables refused.
  package static func hint(_ error: NFTablesError) -> String? {
    switch error.kind {
    case .exists: "a subnet overlaps one of another network: see wirehook config check"
    case .unsupported: "load the module: modprobe nf_tables nft_fib_inet nft_nat nft_masq"
    case .noMemory: "the kernel is short of memory"
    case .permission: hint(errno: EPERM)
    case .busy: "another program keeps changing the ruleset: try again"
    case .missing, .timeout, .other: nil
    }
  }

  /// What helps against what Open vSwitch refused.
  package static func hint(_ error: OVSDBError) -> String? {
    switch error.kind {
    case .missing, .notASocket, .refused:
      "start Open vSwitch (systemctl start openvswitch-switch), or set \"ovs\": {\"database\": …}"
    case .permission: hint(errno: EACCES)
    case .timeout, .closed: "see whether ovsdb-server runs: ovs-vsctl show"
    case .garbage, .tooLarge: "something else than an OVSDB server listens there: set \"ovs\": {\"database\": …}"
    case .noDatabase, .noSwitch: "initialise the database: ovs-vsctl init"
    case .switchSilent: "see whether ovs-vswitchd runs: systemctl status openvswitch-switch"
    case .bridgeMissing(let name): "make it: ovs-vsctl add-br \(name)"
    case .portExists(let name): "it carries no mark of ours: ovs-vsctl del-port \(name)"
    case .interface(let name, _): "ovs-vswitchd's log says more of \(name)"
    case .system(let error): hint(errno: error.errno)
    case .notOpenFlow: "something else than ovs-vswitchd listens there"
    default: nil
    }
  }

  /// What helps against a state file that cannot be used.
  package static func hint(_ error: StateError) -> String? {
    switch error.kind {
    case .corrupt: "run: wirehook gc (it sets the file aside and begins a new one)"
    case .foreign: "another program's file lies there: set state_dir to a directory of its own"
    case .newer: "install that release again, or newer"
    case .busy: "another process holds the database: see who has it open"
    case .full: hint(errno: ENOSPC)
    case .inaccessible(let errno): hint(errno: errno)
    case .refused, .linkTaken, .addressTaken, .portTaken: nil
    }
  }
}
