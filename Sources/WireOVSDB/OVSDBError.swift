package import WireCore
package import WireLinux

/// Why a database server, or the switch behind it, did not do what it was asked.
package struct OVSDBError: Error, Sendable, Hashable {
  package enum Kind: Error, Sendable, Hashable {
    // The socket.
    /// Nothing is at that path.
    case missing
    /// Something else is at that path: `a directory`.
    case notASocket(String)
    /// Nobody listens.
    case refused
    case permission
    /// The server did not answer before the deadline.
    case timeout
    /// The server closed the connection.
    case closed
    case system(SystemError)

    // The protocol.
    /// What came is not what RFC 7047 allows.
    case garbage(String)
    /// A message is longer than this, in bytes.
    case tooLarge(limit: Int)
    /// The server has no database of this name.
    case noDatabase(String)
    /// The request as a whole was refused.
    case rejected(String)
    /// An operation of the transaction failed, or with an index past the last one its commit: nothing was changed.
    case operation(index: Int, error: String, details: String)
    /// The transaction breaks a rule of the schema: nothing was changed.
    case constraint(details: String)

    // OpenFlow.
    /// What came is not what OpenFlow allows.
    case notOpenFlow(String)
    /// The bridge does not allow the version that is spoken here.
    case openFlowVersion
    /// A change of flows was refused: OFPET_… and a code of that type.
    case flowsRefused(type: UInt16, code: UInt16)

    // Open vSwitch.
    /// The database has never been initialised: it has no row in table Open_vSwitch.
    case noSwitch
    case bridgeMissing(String)
    case bridgeExists(String)
    /// A port or an interface of this name is there already.
    case portExists(String)
    /// The bridge is there, and carries no mark of ours.
    case notOurs(bridge: String)
    /// The bridge still has ports beside its own, or somebody changed it meanwhile.
    case bridgeInUse(String)
    /// ovs-vswitchd did not carry out the configuration before the deadline; ovsdb-server is well.
    case switchSilent
    /// ovs-vswitchd could not set an interface up, in its own words.
    case interface(name: String, error: String)
  }

  package let address: DatabaseAddress
  /// What was being done: `connecting`, `waiting for the reply to …`.
  package let step: String
  package let kind: Kind

  package init(_ address: DatabaseAddress, _ step: String, _ kind: Kind) {
    self.address = address
    self.step = step
    self.kind = kind
  }
}

extension OVSDBError: CustomStringConvertible {
  /// `unix:/run/openvswitch/db.sock: connecting: there is no such file`.
  package var description: String { "\(address): \(step): \(kind)".escapingControls(limit: 1000) }
}

extension OVSDBError.Kind: CustomStringConvertible {
  package var description: String {
    switch self {
    case .missing: "there is no such file"
    case .notASocket(let what): "it is \(what), not a stream socket"
    case .refused: "nobody listens there"
    case .permission: "permission denied"
    case .timeout: "no answer in time"
    case .closed: "the server closed the connection"
    case .system(let error): error.description
    case .garbage(let what): "not OVSDB: \(what)"
    case .tooLarge(let limit): "a message of more than \(limit) bytes"
    case .noDatabase(let name): "the server has no database \(name.quoted)"
    case .rejected(let why): "refused: \(why)"
    case .operation(_, let error, let details): details.isEmpty ? error : "\(error): \(details)"
    case .constraint(let details): "constraint violation: \(details)"
    case .notOpenFlow(let what): "not OpenFlow: \(what)"
    case .openFlowVersion: "the bridge does not speak OpenFlow 1.4"
    case .flowsRefused(let type, let code): "the flows were refused: \(Self.meaning(type)) (type \(type), code \(code))"
    case .noSwitch: "table Open_vSwitch is empty, nobody has initialised the database"
    case .bridgeMissing(let name): "there is no bridge \(name.quoted)"
    case .bridgeExists(let name): "there is a bridge \(name.quoted) already"
    case .portExists(let name): "there is a port \(name.quoted) already"
    case .notOurs(let name): "bridge \(name.quoted) is not ours"
    case .bridgeInUse(let name): "bridge \(name.quoted) has other ports, or was changed meanwhile"
    case .switchSilent: "ovs-vswitchd did not carry it out in time, though ovsdb-server answers"
    case .interface(let name, let error): "interface \(name.quoted): \(error)"
    }
  }
  /// The types of errors in OpenFlow 1.4, 7.5.4, that changes of flows meet.
  private static func meaning(_ type: UInt16) -> String {
    switch type {
    case 1: "bad request"
    case 2: "bad action"
    case 3: "bad instruction"
    case 4: "bad match"
    case 5: "no such change of the table"
    case 17: "the bundle failed"
    default: "an error"
    }
  }
}
