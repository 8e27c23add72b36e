use authgate_smol::Smol;

pub(crate) use authgate_jwks::smol::start;

pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    smol::spawn(task).detach();
}

pub(crate) const HOST: Smol = Smol;
