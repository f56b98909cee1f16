import Glibc
import Testing
import WireCore
import WireLinux

@Suite(.enabled(if: Machine.hasRoot, "needs root")) struct NamespaceTests {
  @Test func namespacesAreToldApartAndLeftAgain() throws {
    try NetworkNamespace.withFresh {
      let home = try NetworkNamespace.current()
      #expect(try NamespaceIdentity.current() == home.identity)
      let container = try Container()
      #expect(container.namespace.identity != home.identity)
      #expect(try container.run { try NamespaceIdentity.current() } == container.namespace.identity)
      #expect(throws: Oops.self) { try container.run { throw Oops() } }
      #expect(try NamespaceIdentity.current() == home.identity)
    }
  }

  @Test func aProcessLeadsToItsNamespace() throws {
    try NetworkNamespace.withFresh {
      let child = try Child()
      let found = try NetworkNamespace.open(pid: child.pid)
      #expect(try found.identity == NamespaceIdentity.current())
      kill(child.pid, SIGKILL)
      child.wait()
      #expect(throws: SystemError.self) { _ = try NetworkNamespace.open(pid: child.pid) }
    }
  }

  @Test(arguments: ["/etc/passwd", "/proc/self/ns/mnt", "/tmp", "/nowhere", "/dev/zero"])
  func anotherFileIsNoNamespace(_ path: String) {
    #expect(throws: SystemError.self) { _ = try NetworkNamespace.open(path: path) }
  }

  @Test func settingsAreThoseOfTheThreadsNamespace() throws {
    try NetworkNamespace.withFresh {
      let container = try Container()
      let setting = Sysctl("net", "ipv4", "conf", "lo", "arp_notify")
      try container.run { try setting.write("1") }
      #expect(try setting.read() == "0")
      #expect(try container.run { try setting.read() } == "1")
      let absent = Sysctl("net", "ipv4", "conf", "eth7", "arp_notify")
      #expect(throws: SystemError("open", ENOENT, path: "/proc/sys/net/ipv4/conf/eth7/arp_notify")) {
        try absent.write("1")
      }
    }
  }

  @Test(arguments: [
    ("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward"),
    ("net.ipv4.conf.eth0/10.forwarding", "/proc/sys/net/ipv4/conf/eth0.10/forwarding"),
    ("net/ipv4/conf/eth0.10/forwarding", "/proc/sys/net/ipv4/conf/eth0.10/forwarding"),
    ("kernel.hostname", nil), ("net", nil), ("", nil), ("net..x", nil), ("net/../kernel/hostname", nil),
    ("net.//.kernel", nil), ("net.ipv4.\u{0}", nil), ("/net/ipv4/x", nil), ("net.ipv4.", nil),
  ])
  func aKeyIsReadAsSysctlDoes(_ key: String, _ path: String?) { #expect(Sysctl(key: key)?.path == path) }
}

private struct Oops: Error {}
