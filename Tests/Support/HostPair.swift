/// Two pretend hosts with a wire between them, 192.168.1.9 and 192.168.1.10, as hosts of one rack.
package enum HostPair {
  package static let addresses = ["192.168.1.9", "192.168.1.10"]

  /// The wire ends in the link `u0` of each host, which has the address.
  package static func plain(mtu: Int = 1500, _ body: (Sandbox, Sandbox) throws -> Void) throws {
    try joined(mtu: mtu) { one, two in
      for (host, address) in zip([one, two], addresses) { try host.ip("addr add \(address)/24 dev u0") }
      try body(one, two)
    }
  }

  /// Each host has Open vSwitch, and the wire is a port of its bridge `br-ex`, which has the address: a userspace datapath
  /// sends tunnels by its own bridges only.
  package static func switched(mtu: Int = 1500, _ body: (RealSwitch, RealSwitch) throws -> Void) throws {
    try joined(mtu: mtu) { one, two in
      let switches = try switches(on: one, two)
      try body(switches[0], switches[1])
    }
  }

  /// Starts Open vSwitch on two hosts whose wire is there.
  package static func switches(on hosts: Sandbox...) throws -> [RealSwitch] {
    try zip(hosts, addresses).map { host, address in
      let ovs = try RealSwitch(on: host)
      try ovs.vsctl("add-br br-ex -- set bridge br-ex datapath_type=\(RealSwitch.datapath) -- add-port br-ex u0")
      try host.ip("addr add \(address)/24 dev br-ex")
      try host.ip("link set br-ex up")
      return ovs
    }
  }

  private static func joined(mtu: Int, _ body: (Sandbox, Sandbox) throws -> Void) throws {
    try Sandbox.with { one in
      try Sandbox.with { two in
        try link(one, two, mtu: mtu)
        try body(one, two)
      }
    }
  }

  /// Puts the wire between two hosts.
  package static func link(_ one: Sandbox, _ two: Sandbox, mtu: Int = 1500) throws {
    try one.ip("link add u0 mtu \(mtu) type veth peer name u0 mtu \(mtu) netns \(two.name)")
    for host in [one, two] { try host.ip("link set u0 up") }
  }
}
