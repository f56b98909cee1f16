import WireCore
import WireLinux
import WireNetlink
import WirePlan

/// The host's own ports, asked of the kernel in the host's namespace.
struct HostPortProbe: HostPorts {
  let deadline: Deadline

  func isFree(_ transport: TransportProtocol, _ address: IPAddress, _ port: UInt16) -> Bool {
    do throws(SystemError) {
      if try WireLinux.HostPort.probe(transport, address, port) == .free { return true }
    } catch {
      // Nobody can be found to have it: the rule that we add decides, as it would against a later program.
      return true
    }
    // Bound by whom? An outgoing connection's local port does not stand in the way.
    return listener(transport, address, port) == nil
  }

  func holder(_ transport: TransportProtocol, _ address: IPAddress, _ port: UInt16) -> String {
    guard let listener = listener(transport, address, port) else { return "a program of this host has it" }
    let place = listener.address.isAny ? "" : " on \(listener.address)"
    guard let owner = ProcessIdentity.owner(ofSocketInode: listener.inode) else {
      return "a program of this host (uid \(listener.uid)) listens there\(place)"
    }
    return "\(owner.name.quoted) (pid \(owner.pid)) of this host listens there\(place)"
  }

  func ephemeralRange() -> ClosedRange<UInt16> {
    do throws(SystemError) {
      let numbers = try Sysctl("net", "ipv4", "ip_local_port_range").read().split(whereSeparator: {
        $0 == "\t" || $0 == " "
      })
      .compactMap { DecimalNumber.parse($0, upTo: 65_535) }.map { UInt16($0) }
      if numbers.count == 2, numbers[0] <= numbers[1] { return numbers[0]...numbers[1] }
    } catch {}
    // The kernel's own default (Documentation/networking/ip-sysctl.rst).
    return 32_768...60_999
  }

  private func listener(_ transport: TransportProtocol, _ address: IPAddress, _ port: UInt16) -> Listener? {
    do {
      return try NetlinkSocket(.sockDiag).listener(transport, address, port, until: deadline)
    } catch {
      return nil
    }
  }
}
