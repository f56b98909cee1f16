import Foundation
import Glibc
import WireCore

/// Answers each TCP connection and each datagram with its own name and the peer's address, in one namespace, until stopped.
/// Its sockets keep the namespace alive: stop it before you watch a namespace die.
package final class Server: @unchecked Sendable {
  private let name: String
  private let padding: Int
  private var listeners: [Socket] = []
  private var datagrams: [Socket] = []
  private let wake: [Int32]
  private let done = DispatchSemaphore(value: 0)
  private let lock = NSLock()
  private var stopped = false
  private var heard = 0

  /// Listens on `port`, TCP and UDP, on every address of both families or on `address` alone; on `*`: with one socket for
  /// both families, as most servers do.
  init(_ name: String, in place: any Place, port: UInt16, address: String?, padding: Int) throws {
    self.name = name
    self.padding = padding
    wake = try Spawn.pipe()
    let addresses = address.map { [$0] } ?? ["0.0.0.0", "::"]
    try place.inside { [self] in
      for address in addresses {
        if address == "::", access("/proc/self/net/if_inet6", F_OK) != 0 { continue }
        let wildcard = address == "*" ? "::" : address
        let listener = try Socket(.tcp, towards: wildcard, bothFamilies: address == "*")
        try listener.bind(wildcard, port)
        listen(listener.file, 128)
        let datagram = try Socket(.udp, towards: wildcard, bothFamilies: address == "*")
        try datagram.bind(wildcard, port)
        listeners.append(listener)
        datagrams.append(datagram)
      }
    }
    Thread { [self] in serve() }.start()
  }

  /// How many connections and datagrams came in so far.
  package var count: Int { lock.withLock { heard } }

  /// Closes the sockets and returns when they are closed.
  package func stop() {
    let first = lock.withLock {
      defer { stopped = true }
      return !stopped
    }
    guard first else { return }
    close(wake[1])
    done.wait()
    close(wake[0])
  }

  private func serve() {
    let sockets = listeners + datagrams
    while true {
      var waits = ([wake[0]] + sockets.map(\.file)).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      guard poll(&waits, nfds_t(waits.count), -1) > 0, waits[0].revents == 0 else { break }
      for (index, wait) in waits.dropFirst().enumerated() where wait.revents != 0 {
        lock.withLock { heard += 1 }
        index < listeners.count ? answerConnection(sockets[index]) : answerDatagram(sockets[index])
      }
    }
    listeners = []
    datagrams = []
    done.signal()
  }

  private func answerConnection(_ listener: Socket) {
    var file: Int32 = -1
    let peer = SocketAddress(receiving: { file = accept(listener.file, $0, $1) })
    guard file >= 0 else { return }
    _ = fcntl(file, F_SETFD, FD_CLOEXEC)
    let connection = Socket(adopting: file, listener.family)
    var seconds = timeval(tv_sec: 2, tv_usec: 0)
    setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &seconds, socklen_t(MemoryLayout<timeval>.size))
    _ = connection.write(Array("\(name) \(peer.host)\n".utf8) + [UInt8](repeating: 0, count: padding))
    shutdown(file, Int32(SHUT_WR))
  }

  private func answerDatagram(_ socket: Socket) {
    var buffer = [UInt8](repeating: 0, count: 2048)
    let peer = SocketAddress(receiving: { _ = recvfrom(socket.file, &buffer, buffer.count, 0, $0, $1) })
    let line = Array("\(name) \(peer.host)\n".utf8)
    _ = peer.withPointer { sendto(socket.file, line, line.count, Int32(MSG_NOSIGNAL), $0, $1) }
  }
}

extension Place {
  /// Starts a server here that says `name` to who asks.
  package func serve(_ port: UInt16, on address: String? = nil, padding: Int = 0) throws -> Server {
    try Server(name, in: self, port: port, address: address, padding: padding)
  }
}
