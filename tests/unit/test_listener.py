"""Listening sockets: which files a unix socket may replace."""

import os
import socket
from pathlib import Path

import pytest

from selredis.net.listener import ListenError, listen_unix


def connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def leave_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as earlier:
        earlier.bind(str(path))


@pytest.mark.parametrize('leave', [lambda _: None, leave_socket, Path.touch], ids=['nothing', 'socket', 'empty file'])
def test_a_stale_socket_or_an_empty_file_is_replaced(tmp_path, leave):
    path = tmp_path / 'redis.sock'
    leave(path)
    with listen_unix(str(path), 0o700, 5):
        assert path.is_socket()
        assert path.stat().st_mode & 0o777 == 0o700
        assert connects(path)


@pytest.mark.parametrize(
    'leave',
    [
        lambda path: path.write_text('data'),
        Path.mkdir,
        os.mkfifo,
        lambda path: path.symlink_to('nothing'),
        lambda path: path.symlink_to('/dev/null'),
    ],
    ids=['file with content', 'directory', 'fifo', 'link to nothing', 'link to a device'],
)
def test_anything_else_is_refused_and_stays(tmp_path, leave):
    path = tmp_path / 'redis.sock'
    leave(path)
    before = os.lstat(path)
    with pytest.raises(ListenError) as refused:
        listen_unix(str(path), 0, 5)
    reason = f'Failed opening Unix socket: {path} exists and is neither a socket nor an empty file'
    assert str(refused.value) == reason
    assert os.lstat(path) == before


def test_a_link_is_replaced_and_not_what_it_leads_to(tmp_path):
    path, target = tmp_path / 'redis.sock', tmp_path / 'target'
    target.touch()
    path.symlink_to(target)
    with listen_unix(str(path), 0, 5):
        assert path.is_socket()
        assert not path.is_symlink()
        assert target.is_file()


def test_what_the_system_refuses_is_told(tmp_path):
    with pytest.raises(ListenError, match=r'^Failed opening Unix socket: bind: No such file or directory$'):
        listen_unix(str(tmp_path / 'missing' / 'redis.sock'), 0, 5)
    with pytest.raises(ListenError, match=r'^Failed opening Unix socket: bind: AF_UNIX path too long$'):
        listen_unix(str(tmp_path / ('x' * 120)), 0, 5)
