import WireCore

/// The zone of firewalld that our bridges stand in, and the policy that lets their containers out.
///
/// What comes from a bridge in no zone is rejected, and no accept in another table undoes that. The zone's own target is
/// left at the default: which services of the host answer to containers stays a matter of `firewall-cmd --zone=wirehook`.
/// Published ports need nothing here, firewalld lets pass what was translated.
enum FirewalldZone {
  static let path = "/etc/firewalld/zones/wirehook.xml"
  static let policyPath = "/etc/firewalld/policies/wirehook-out.xml"

  /// Bridges that firewalld's wildcard covers; it is written `+`, as iptables has it.
  static let usual = ["wh+", "wirehook0"]

  static let policy = """
    <?xml version="1.0" encoding="utf-8"?>
    <policy target="ACCEPT">
      <short>wirehook-out</short>
      <description>What wirehook's containers send leaves this host. wirehook's own table has its say as well.</description>
      <ingress-zone name="wirehook"/>
      <egress-zone name="ANY"/>
    </policy>

    """

  private static let empty = """
    <?xml version="1.0" encoding="utf-8"?>
    <zone>
      <short>wirehook</short>
      <description>Bridges of wirehook's networks. Services that are added here are the host's that answer to containers.</description>
      <forward/>
    </zone>

    """

  /// A zone's file with the bridges in it. What an administrator, or firewalld itself, has written there stays.
  static func installed(in text: String?, bridges: [String], file: String) throws(WireError) -> String {
    var text = text ?? empty
    for bridge in usual + bridges where !names(bridge, in: text) {
      guard let end = text.range(of: "</zone>") else {
        throw WireError(file, "it has no </zone>", hint: "mend it, or remove it")
      }
      text.insert(contentsOf: "  <interface name=\"\(bridge)\"/>\n", at: end.lowerBound)
    }
    return text
  }

  /// Whether a zone's file binds an interface.
  static func names(_ interface: String, in text: String) -> Bool {
    text.range(of: "<interface name=\"\(interface)\"") != nil
  }
}
